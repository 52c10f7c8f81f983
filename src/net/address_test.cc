#include <gtest/gtest.h>

#include "net/http_client.h"

namespace tarn::net {
namespace {

TEST(Address, tells_the_open_internet_from_the_rest) {
    for (const char* global : {"8.8.8.8", "172.15.255.255", "172.32.0.0", "192.169.0.1",
                               "100.128.0.0", "223.255.255.255", "2606:4700::1111", "2a00:1450::1",
                               "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"})
        EXPECT_EQ(classify_address(global), AddressKind::global) << global;
    for (const char* loopback :
         {"127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "2002:7f00:1::"})
        EXPECT_EQ(classify_address(loopback), AddressKind::loopback) << loopback;
    for (const char* private_use :
         {"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "198.18.0.1",
          "fd00::1", "fc00::1", "::ffff:10.1.2.3", "64:ff9b::a00:1"})
        EXPECT_EQ(classify_address(private_use), AddressKind::private_use) << private_use;
    for (const char* link_local :
         {"169.254.169.254", "fe80::1", "fe80::1%eth0", "::ffff:169.254.169.254"})
        EXPECT_EQ(classify_address(link_local), AddressKind::link_local) << link_local;
    for (const char* special :
         {"0.0.0.0", "255.255.255.255", "224.0.0.1", "240.0.0.1", "192.0.2.1", "::", "ff02::1",
          "2001:db8::1", "2001::1", "fec0::1", "100::1", "3fff::1", "", "localhost", "1.2.3"})
        EXPECT_EQ(classify_address(special), AddressKind::other_special) << special;
    EXPECT_EQ(classify_address(std::string("8.8.8.8\0x", 9)), AddressKind::other_special);
}

}  // namespace
}  // namespace tarn::net

#include "app/data_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "io/disk.h"

namespace tarn::app {

Result<std::unique_ptr<DataFolder>> DataFolder::take(const std::string& path) {
    io::RealDisk disk;
    TARN_CHECK_OK(disk.make_directories(path));
    const std::string name = path + "/lock";
    const int lock = ::open(name.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (lock < 0) return Error(Code::io, "can't open " + name + ": " + std::strerror(errno));
    if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
        ::close(lock);
        return Error(Code::unavailable,
                     "another tarn serves " + path + "; stop it, or give another --data");
    }
    return std::unique_ptr<DataFolder>(new DataFolder(path, lock));
}

DataFolder::~DataFolder() {
    ::close(lock_);
}

}  // namespace tarn::app

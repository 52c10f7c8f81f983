// The handlers that the operations table names. One file in handlers/ holds a small group of them:
// decode, one call into the object store, encode.
#pragma once

#include "base/result.h"

namespace tarn::s3 {

class Exchange;

// handlers/buckets.cc
Status list_buckets(Exchange&);
Status create_bucket(Exchange&);
Status head_bucket(Exchange&);
Status delete_bucket(Exchange&);
Status get_bucket_location(Exchange&);

// handlers/bucket_configuration.cc
Status get_bucket_configuration(Exchange&);
Status get_acl(Exchange&);
Status get_object_lock_state(Exchange&);

// handlers/tagging.cc
Status put_object_tagging(Exchange&);
Status get_object_tagging(Exchange&);
Status delete_object_tagging(Exchange&);
Status put_bucket_tagging(Exchange&);
Status get_bucket_tagging(Exchange&);
Status delete_bucket_tagging(Exchange&);

// handlers/list_objects.cc
Status list_objects(Exchange&);
Status list_objects_v2(Exchange&);
Status list_object_versions(Exchange&);

// handlers/get_object.cc
Status get_object(Exchange&);
Status head_object(Exchange&);

// handlers/object_attributes.cc
Status get_object_attributes(Exchange&);

// handlers/put_object.cc
Status put_object(Exchange&);

// handlers/copy_object.cc
Status copy_object(Exchange&);
Status upload_part_copy(Exchange&);

// handlers/delete_objects.cc
Status delete_object(Exchange&);
Status delete_objects(Exchange&);

// handlers/multipart.cc
Status create_multipart_upload(Exchange&);
Status upload_part(Exchange&);
Status complete_multipart_upload(Exchange&);
Status abort_multipart_upload(Exchange&);

// handlers/list_uploads.cc
Status list_parts(Exchange&);
Status list_multipart_uploads(Exchange&);

}  // namespace tarn::s3

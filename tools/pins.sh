# Everything that comes from outside, in one place. Read by tools/setup.sh (bash) and hashed into its stamp.

# Debian 12: to build
DEBIAN_BUILD="g++ make cmake ninja-build mold ccache pkg-config git ca-certificates curl
  libjemalloc-dev librocksdb-dev libboost1.81-dev libspdlog-dev libfmt-dev nlohmann-json3-dev libsimdjson-dev libpugixml-dev
  libyaml-cpp-dev libcli11-dev libzstd-dev liblz4-dev libsnappy-dev zlib1g-dev libssl-dev libcurl4-openssl-dev
  libxgboost-dev prometheus-cpp-dev libpq-dev libroaring-dev libabsl-dev libgtest-dev libgmock-dev libbenchmark-dev
  python3 python3-venv nodejs npm tzdata"
# Debian 12: the clients and servers that the tests, the demo and the benchmarks use
DEBIAN_TEST="python3-pytest python3-pytest-xdist python3-pytest-rerunfailures python3-boto3 python3-psycopg2 python3-paho-mqtt python3-cryptography python3-asyncpg python3-psycopg awscli rclone s3cmd
  postgresql-15 postgresql-client-15 mosquitto nginx-light mosquitto-clients chromium openssl wrk procps iproute2"
# Debian 12: for those who change the code (./x fmt, ./x tidy, ./x test --long)
DEBIAN_DEVELOP="clang-14 clang-format-14 clang-tidy-14 libclang-rt-14-dev"

# DuckDB: headers from the source package on PyPI, the library from npm
DUCKDB_VERSION=1.5.6
DUCKDB_SOURCE_SHA256=166a91dbfacfc0c9f08cc76c0243cb6d3d4296bfab5bad72a3cfb63140a5b7c8
DUCKDB_NPM=@duckdb/node-bindings-linux-x64@1.5.6-r.1
DUCKDB_NPM_SHA256=1b9f82478539bb9a1d1df44bd103121a12ae52142c07158dc52b97d2ec1d69ff

# PyPI: current clients beside Debian's, in .venv
PYTHON_CLIENTS="boto3==1.44.5 duckdb==1.5.6 pyiceberg==0.12.0 pyarrow==26.0.1"

# npm: a reader of Iceberg tables that is not ours, in .node
NODE_CLIENTS="icebird@0.3.1"

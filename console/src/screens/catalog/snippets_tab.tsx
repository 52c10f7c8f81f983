// Ready lines that read the table from other programs. Keys come from the environment, so that none stands in a script.

import { use_live } from "../../live";
import { Card, CodeBlock, Loading, Tabs } from "../../ui";
import type { TableAnswer } from "./shapes";

interface Doors {
  doors?: Record<string, string>;
}

interface Place {
  aws: string;
  postgres_host: string;
  postgres_port: string;
  guessed: boolean;
}

/** Where the doors are; who may not ask the server is told their usual places on this host. */
function place_of(doors: Record<string, string> | undefined): Place {
  const here = location.hostname;
  const reachable = (address: string | undefined, port: string): [string, string] => {
    const cut = address?.lastIndexOf(":") ?? -1;
    const host = address === undefined ? here : address.slice(0, cut);
    return [/^(0\.0\.0\.0|\[::\]|\*)?$/.test(host) ? here : host, address === undefined ? port : address.slice(cut + 1)];
  };
  const [aws_host, aws_port] = reachable(doors?.["aws"], "4566");
  const [postgres_host, postgres_port] = reachable(doors?.["postgres"], "5439");
  return { aws: `http://${aws_host}:${aws_port}`, postgres_host, postgres_port, guessed: doors === undefined };
}

export function SnippetsTab({ found }: { found: TableAnswer }) {
  const status = use_live<Doors>("/api/v1/status", { every_ms: 0 });
  // Before the answer is there the addresses would be guesses that change under the hand that copies them.
  if (status.data.value === null && status.error.value === null) return <Loading what="the addresses of the doors" />;
  const place = place_of(status.data.value?.doors);
  const open = found.location !== undefined && found.metadata_location !== undefined;
  const name = `${quoted(found.database)}.${quoted(found.table)}`;
  const file = (text: string, label: string) => (open ? <CodeBlock text={text} label={label} /> : <OnlyWhole />);
  return (
    <Card title="Read it from elsewhere">
      <p class="calm-note">
        Set your access key first; the examples below use it.
        {place.guessed && " You may not ask the server for its addresses: these are the usual ports on this host."}
      </p>
      <CodeBlock text={`export AWS_ACCESS_KEY_ID=your-access-key AWS_SECRET_ACCESS_KEY=your-secret AWS_DEFAULT_REGION=us-east-1`} label="Environment with the access key" />
      <Tabs
        label="Programs"
        word="with"
        tabs={[
          { name: "psql", title: "psql", show: () => <CodeBlock text={psql(place, name)} label="psql" /> },
          { name: "psycopg2", title: "Python: psycopg2", show: () => <CodeBlock text={psycopg2(place, name)} label="Python with psycopg2" /> },
          { name: "pyiceberg", title: "Python: pyiceberg", show: () => file(pyiceberg(place, found), "Python with pyiceberg") },
          { name: "boto3", title: "Python: boto3", show: () => file(boto3(place, found), "Python with boto3") },
          { name: "spark", title: "Spark", show: () => file(spark(place, found), "Spark") },
          { name: "aws", title: "aws cli", show: () => file(aws(place, found), "aws cli") },
        ]}
      />
    </Card>
  );
}

function OnlyWhole() {
  return <p class="calm-note">The table's files are open to who may see the whole table, and you see a part: read it by SQL, with psql or psycopg2.</p>;
}

const quoted = (name: string): string => (/^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`);
const bucket_of = (found: TableAnswer): [string, string] => {
  const path = (found.location ?? "").replace(/^s3:\/\//, "");
  const slash = path.indexOf("/");
  return [path.slice(0, slash), path.slice(slash + 1)];
};

function psql(place: Place, name: string): string {
  return `PGPASSWORD="$AWS_SECRET_ACCESS_KEY" psql -h ${place.postgres_host} -p ${place.postgres_port} -U "$AWS_ACCESS_KEY_ID" -d lake \\
  -c 'select * from ${name} limit 10'`;
}

function psycopg2(place: Place, name: string): string {
  return `import os
import psycopg2

with psycopg2.connect(host="${place.postgres_host}", port=${place.postgres_port}, dbname="lake",
                      user=os.environ["AWS_ACCESS_KEY_ID"], password=os.environ["AWS_SECRET_ACCESS_KEY"]) as lake:
    with lake.cursor() as cursor:
        cursor.execute('select * from ${name} limit 10')
        print([column.name for column in cursor.description])
        for row in cursor:
            print(row)`;
}

function pyiceberg(place: Place, found: TableAnswer): string {
  return `import os
from pyiceberg.table import StaticTable

# The state of the table at this moment; take the address anew for a later one.
table = StaticTable.from_metadata("${found.metadata_location}", {
    "s3.endpoint": "${place.aws}", "s3.region": "us-east-1", "s3.path-style-access": "true",
    "s3.access-key-id": os.environ["AWS_ACCESS_KEY_ID"], "s3.secret-access-key": os.environ["AWS_SECRET_ACCESS_KEY"]})
print(table.scan(limit=10).to_arrow())`;
}

function boto3(place: Place, found: TableAnswer): string {
  const [bucket, prefix] = bucket_of(found);
  return `import boto3

s3 = boto3.client("s3", endpoint_url="${place.aws}", region_name="us-east-1")
pages = s3.get_paginator("list_objects_v2").paginate(Bucket="${bucket}", Prefix="${prefix}/")
for page in pages:
    for one in page.get("Contents", []):
        print(one["Size"], one["Key"])`;
}

function spark(place: Place, found: TableAnswer): string {
  return `pyspark --packages org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:1.6.1,org.apache.hadoop:hadoop-aws:3.3.4 \\
  --conf spark.hadoop.fs.s3.impl=org.apache.hadoop.fs.s3a.S3AFileSystem \\
  --conf spark.hadoop.fs.s3a.endpoint=${place.aws} \\
  --conf spark.hadoop.fs.s3a.path.style.access=true
>>> spark.read.format("iceberg").load("${found.metadata_location}").show(10)`;
}

function aws(place: Place, found: TableAnswer): string {
  return `aws --endpoint-url ${place.aws} s3 ls --recursive ${found.location}/
aws --endpoint-url ${place.aws} s3 cp ${found.metadata_location} -`;
}

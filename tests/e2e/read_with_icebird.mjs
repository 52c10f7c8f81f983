// Reads an Iceberg table with icebird through our S3 door: read_with_icebird.mjs ICEBIRD ENDPOINT KEY SECRET TABLE METADATA_FILE
// icebird asks s3.amazonaws.com by fetch; here its requests are signed (SigV4) and go to ENDPOINT.
import { createHash, createHmac } from 'node:crypto'
import { pathToFileURL } from 'node:url'

const [icebird, endpoint, key, secret, tableUrl, metadataFileName] = process.argv.slice(2)
const plainFetch = globalThis.fetch
const hmac = (of, text) => createHmac('sha256', of).update(text).digest()

function signed(method, path, range) {
  const host = new URL(endpoint).host
  const at = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
  const headers = { host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'x-amz-date': at, ...(range ? { range } : {}) }
  const names = Object.keys(headers).sort()
  const canonical = [method, path, '', ...names.map(name => `${name}:${headers[name]}`), '', names.join(';'), 'UNSIGNED-PAYLOAD']
  const scope = `${at.slice(0, 8)}/us-east-1/s3/aws4_request`
  const text = ['AWS4-HMAC-SHA256', at, scope, createHash('sha256').update(canonical.join('\n')).digest('hex')].join('\n')
  const signingKey = ['us-east-1', 's3', 'aws4_request'].reduce(hmac, hmac('AWS4' + secret, at.slice(0, 8)))
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${key}/${scope}, SignedHeaders=${names.join(';')}, ` +
    `Signature=${hmac(signingKey, text).toString('hex')}`
  delete headers.host
  return headers
}

globalThis.fetch = async (url, init = {}) => {
  const asked = new URL(url)
  const bucket = asked.hostname.endsWith('.s3.amazonaws.com') ? '/' + asked.hostname.replace('.s3.amazonaws.com', '') : ''
  const path = bucket + asked.pathname
  const given = new Headers(init.headers)
  const method = init.method ?? 'GET'
  return plainFetch(endpoint + path, { method, headers: signed(method, path, given.get('range')) })
}

const { icebergRead } = await import(pathToFileURL(icebird).href)
const rows = await icebergRead({ tableUrl, metadataFileName })
const plain = value => value instanceof Date ? value.toISOString().slice(0, 10) : typeof value === 'bigint' ? Number(value) : value ?? null
console.log(JSON.stringify(rows.map(row => ['n', 'name', 'amount', 'day'].map(name => plain(row[name])))))

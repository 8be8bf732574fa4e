// The current AWS SDK for JavaScript at its default settings (trailing checksums). Fails with the first surprise.
const assert = require('assert');
const crypto = require('crypto');
const { Readable } = require('stream');
const {
  S3Client, PutObjectCommand, GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, DeleteObjectsCommand,
  CopyObjectCommand, ListBucketsCommand,
} = require('@aws-sdk/client-s3');
const { Upload } = require('@aws-sdk/lib-storage');
const { getSignedUrl } = require('@aws-sdk/s3-request-presigner');

const [endpoint, Bucket, accessKeyId, secretAccessKey] = process.argv.slice(2);
const s3 = new S3Client({
  endpoint, region: 'local', forcePathStyle: true, credentials: { accessKeyId, secretAccessKey },
});

async function bytesOf(Key, extra) {
  const got = await s3.send(new GetObjectCommand({ Bucket, Key, ...extra }));
  return [Buffer.from(await got.Body.transformToByteArray()), got];
}

async function run() {
  const md5 = (data) => '"' + crypto.createHash('md5').update(data).digest('hex') + '"';
  const text = Buffer.from('hello');
  const put = await s3.send(new PutObjectCommand({ Bucket, Key: 'js/ü +.txt', Body: text, Metadata: { a: 'b' } }));
  assert.strictEqual(put.ETag, md5(text));
  const [back, got] = await bytesOf('js/ü +.txt');
  assert.deepStrictEqual(back, text);
  assert.deepStrictEqual(got.Metadata, { a: 'b' });
  assert.strictEqual(got.ChecksumCRC32, 'NhCmhg==');
  const [part] = await bytesOf('js/ü +.txt', { Range: 'bytes=1-2' });
  assert.strictEqual(part.toString(), 'el');

  const streamed = await s3.send(new PutObjectCommand({
    Bucket, Key: 'js/stream', Body: Readable.from([text, text]), ContentLength: 10,
  }));
  assert.strictEqual(streamed.ETag, md5('hellohello'));

  const data = crypto.randomBytes(12e6);
  const upload = new Upload({
    client: s3, params: { Bucket, Key: 'js/big', Body: Readable.from([data.subarray(0, 5e6), data.subarray(5e6)]) },
  });
  assert.match((await upload.done()).ETag, /^"[0-9a-f]{32}-3"$/);
  assert.ok((await bytesOf('js/big'))[0].equals(data));

  await s3.send(new CopyObjectCommand({ Bucket, Key: 'js/copy', CopySource: `${Bucket}/${encodeURIComponent('js/ü +.txt')}` }));
  const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'js/copy' }), { expiresIn: 60 });
  assert.strictEqual(await (await fetch(url)).text(), 'hello');
  const listed = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'js/' }));
  assert.deepStrictEqual(listed.Contents.map((c) => c.Key), ['js/big', 'js/copy', 'js/stream', 'js/ü +.txt']);
  const deleted = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: listed.Contents.map(({ Key }) => ({ Key })) } }));
  assert.strictEqual(deleted.Deleted.length, 4);
  await assert.rejects(s3.send(new HeadObjectCommand({ Bucket, Key: 'js/copy' })), { name: 'NotFound' });
  await assert.rejects(s3.send(new GetObjectCommand({ Bucket, Key: 'js/copy' })), { name: 'NoSuchKey' });
  const buckets = await s3.send(new ListBucketsCommand({}));
  assert.ok(buckets.Buckets.some((b) => b.Name === Bucket));
}

run().catch((failure) => {
  console.error(failure);
  process.exit(1);
});

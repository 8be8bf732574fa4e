// The driver as @grpc/grpc-js sees it: prints one JSON object of what happened.
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");
const protobuf = require("protobufjs");
const path = require("path");

const { ROOT, TARGET, KEY, PROJECT } = process.env;
const standard = path.join(ROOT, "src/grpc/standard");
const options = { keepCase: true, includeDirs: [ROOT, standard], enums: String, defaults: false, arrays: false };
const load = (file) => grpc.loadPackageDefinition(loader.loadSync(file, options));
const service = load("proto/service.proto").keboola.storageDriver.service.StorageDriverService;
const health = load("grpc/health/v1/health.proto").grpc.health.v1.Health;

const root = new protobuf.Root();
root.resolvePath = (_, target) => (path.isAbsolute(target) ? target
    : path.join(target.startsWith("proto/") ? ROOT : standard, target));
root.loadSync(["proto/project.proto", "proto/bucket.proto", "proto/info.proto"], { keepCase: true });

function command(name, fields) {
    const type = root.lookupType(name);
    return { command: { type_url: "type.googleapis.com/" + name, value: type.encode(type.fromObject(fields)).finish() } };
}

function metadata(key) {
    const made = new grpc.Metadata();
    if (key) made.set("authorization", "Bearer " + key);
    return made;
}

const client = new service(TARGET, grpc.credentials.createInsecure());
const zipped = new service(TARGET, grpc.credentials.createInsecure(), { "grpc.default_compression_algorithm": 2 });

function call(stub, request, key, callOptions = {}) {
    return new Promise((resolve) => {
        stub.Execute(request, metadata(key), callOptions, (error, answer) =>
            resolve(error ? { code: error.code, details: error.details } : answer));
    });
}

function bucketOf(answer) {
    const type = root.lookupType("keboola.storageDriver.command.bucket.CreateBucketResponse");
    return type.toObject(type.decode(answer.commandResponse.value));
}

async function main() {
    const create = command("keboola.storageDriver.command.bucket.CreateBucketCommand",
        { projectId: PROJECT, bucketId: "in.c-node" });
    const info = command("keboola.storageDriver.command.info.ObjectInfoCommand",
        { path: [PROJECT, "nowhere", "t"], expectedObjectType: 2 });
    const told = {};
    told.bucket = bucketOf(await call(client, create, KEY));
    told.gzip = bucketOf(await call(zipped, create, KEY)).createBucketObjectName;
    told.unknown = await call(client, command("keboola.storageDriver.command.project.UpdateProjectCommand", {}), KEY);
    told.missing = await call(client, info, KEY);
    told.denied = await call(client, create, null);
    told.deadline = (await call(client, create, KEY, { deadline: Date.now() - 1000 })).code;
    told.cancelled = await new Promise((resolve) => {
        const running = client.Execute(create, metadata(KEY), (error) => resolve(error ? error.code : 0));
        running.cancel();
    });
    told.health = await new Promise((resolve) => {
        new health(TARGET, grpc.credentials.createInsecure()).Check({}, (error, answer) =>
            resolve(error ? error.message : answer.status));
    });
    console.log(JSON.stringify(told));
    client.close();
    zipped.close();
}

main().catch((error) => { console.error(error); process.exit(1); });

// The driver as @grpc/grpc-js sees it: prints one JSON object of what happened.
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");
const protobuf = require("protobufjs");
const path = require("path");

const { ROOT, TARGET, KEY, PROJECT } = process.env;
const SPECIAL = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \u{1f608}\t\n";
const standard = path.join(ROOT, "src/grpc/standard");
const options = { keepCase: true, includeDirs: [ROOT, standard], enums: String, defaults: false, arrays: false };
const load = (file) => grpc.loadPackageDefinition(loader.loadSync(file, options));
const service = load("proto/service.proto").keboola.storageDriver.service.StorageDriverService;
const health = load("grpc/health/v1/health.proto").grpc.health.v1.Health;

const root = new protobuf.Root();
root.resolvePath = (_, target) => (path.isAbsolute(target) ? target
    : path.join(target.startsWith("proto/") ? ROOT : standard, target));
root.loadSync(["proto/project.proto", "proto/bucket.proto", "proto/info.proto", "proto/table.proto", "proto/executeQuery.proto"], { keepCase: true });

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

// Works for minutes unless somebody stops it.
function slowQuery() {
    return command("keboola.storageDriver.command.executeQuery.ExecuteQueryCommand",
        { query: "SELECT sum(a.range * b.range) FROM range(100000000) a, range(100000) b", pathRestriction: [PROJECT] });
}

// The sizes of the public interoperability case: 271828 bytes there, more than 314159 back.
async function large() {
    const columns = [...Array(1300).keys()].map((i) => ({ name: "column_" + "x".repeat(240) + i, type: "VARCHAR", nullable: true }));
    const made = await call(client, command("keboola.storageDriver.command.table.CreateTableCommand",
        { path: ["in_c_node"], tableName: "wide", columns }), KEY);
    const asked = command("keboola.storageDriver.command.info.ObjectInfoCommand",
        { path: ["in_c_node", "wide"], expectedObjectType: 2 });
    asked.features = ["x".repeat(271828)];
    const got = await call(client, asked, KEY);
    return { made: made.details ?? null, bytes: got.commandResponse ? got.commandResponse.value.length : got.details };
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
    told.whitespace = await call(client, command("keboola.storageDriver.command.info.ObjectInfoCommand",
        { path: [PROJECT, "default", SPECIAL, "t"], expectedObjectType: 2 }), KEY);
    told.large = await large();
    told.column = (await call(client, command("keboola.storageDriver.command.table.DropColumnCommand",
        { path: ["in_c_node"], tableName: "wide", columnName: SPECIAL }), KEY)).details;
    told.metadata = await new Promise((resolve) => {
        const given = metadata(KEY);
        given.set("x-grpc-test-echo-initial", "test_initial_metadata_value");
        given.set("x-grpc-test-echo-trailing-bin", Buffer.from([0xab, 0xab, 0xab]));
        client.Execute(create, given, (error) => resolve(error ? error.code : 0));
    });
    const nothing = (data) => data;
    told.empty = await new Promise((resolve) => new grpc.Client(TARGET, grpc.credentials.createInsecure()).makeUnaryRequest(
        "/grpc.health.v1.Health/Check", nothing, nothing, Buffer.alloc(0), (error, answer) =>
            resolve(error ? error.message : answer.toString("hex"))));
    for (const [name, method] of [["noMethod", "/keboola.storageDriver.service.StorageDriverService/Nothing"],
                                  ["noService", "/grpc.testing.UnimplementedService/UnimplementedCall"]])
        told[name] = await new Promise((resolve) => client.makeUnaryRequest(method, nothing, nothing, Buffer.alloc(0),
            (error) => resolve(error ? error.code : 0)));
    told.soon = (await call(client, slowQuery(), KEY, { deadline: Date.now() + 200 })).code;
    told.later = await new Promise((resolve) => {
        const running = client.Execute(slowQuery(), metadata(KEY), (error) => resolve(error ? error.code : 0));
        setTimeout(() => running.cancel(), 200);
    });
    told.after = bucketOf(await call(client, create, KEY)).createBucketObjectName;
    told.health = await new Promise((resolve) => {
        new health(TARGET, grpc.credentials.createInsecure()).Check({}, (error, answer) =>
            resolve(error ? error.message : answer.status));
    });
    console.log(JSON.stringify(told));
    client.close();
    zipped.close();
}

main().catch((error) => { console.error(error); process.exit(1); });

#!/usr/bin/env node
'use strict';
// Starts one simulator in the foreground; see README.md.

const fs = require('fs');
const path = require('path');
const { parseArgs } = require('util');
const v8 = require('v8');
const { createControl } = require('./engine/control');
const { createServer, createIdentityServer } = require('./engine/server');
const { Simulator } = require('./engine/simulator');
const { ensureCertificates } = require('./engine/tls');

const OPTIONS = {
    'dir': { type: 'string' },
    'port': { type: 'string', default: '0' },
    'public-port': { type: 'string' },
    'tenant': { type: 'string', default: 'contoso.onmicrosoft.com' },
    'tenant-id': { type: 'string', default: '11111111-2222-3333-4444-555555555555' },
    'client-id': { type: 'string', default: '99999999-8888-7777-6666-555555555555' },
    'secret-file': { type: 'string' },
    'config': { type: 'string' },
    'seed': { type: 'string', default: '0' },
    'http1-only': { type: 'boolean', default: false },
};

const HOSTS = { v4: '127.0.0.1', v6: '::1' };

function portOf(option, text) {
    const port = Number(text);
    if (!Number.isInteger(port) || port < 0 || port > 65535)
        throw new Error(`${option} ${text}: not a port`);
    return port;
}

function readOptions(argv) {
    const { values } = parseArgs({ args: argv, options: OPTIONS });
    if (!values.dir)
        throw new Error('--dir DIR is missing');
    const port = portOf('--port', values.port);
    const publicPort = values['public-port'] === undefined ? null : portOf('--public-port', values['public-port']);
    return { ...values, dir: path.resolve(values.dir), port, publicPort };
}

function readConfig(file) {
    if (!file)
        return { settings: {}, users: [] };
    const { users = [], ...settings } = JSON.parse(fs.readFileSync(file, 'utf8'));
    return { settings, users };
}

function readSecret(file, config) {
    if (!file)
        return config.settings;
    const secret = fs.readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    return { ...config.settings, secret };
}

function prepareDirectory(dir) {
    if (!fs.existsSync(dir)) {
        fs.mkdirSync(dir, { recursive: true });
        fs.chmodSync(dir, 0o755);
    }
    for (const name of ['ready.json', 'control.sock'])
        fs.rmSync(path.join(dir, name), { force: true });
}

function listen(server, where) {
    return new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(where, () => {
            server.removeListener('error', reject);
            resolve(server.address());
        });
    });
}

/** Listens on both loopback addresses; a host without IPv6 has only the first. */
async function listenOnLoopback(make, port) {
    const first = make();
    const address = await listen(first, { host: HOSTS.v4, port });
    const second = make();
    try {
        await listen(second, { host: HOSTS.v6, port: address.port, ipv6Only: true });
        return { port: address.port, servers: [first, second] };
    } catch (error) {
        return { port: address.port, servers: [first] };
    }
}

function writeReady(options, sim, port, caFile) {
    const inDir = (name) => path.join(options.dir, name);
    const secretFile = inDir('client-secret');
    fs.writeFileSync(secretFile, `${sim.settings.secret}\n`, { mode: 0o600 });
    const ready = {
        loginUrl: sim.urls.login, graphUrl: sim.urls.graph, caFile, identityUrl: sim.urls.identity,
        tenant: options.tenant, tenantId: sim.tenant.id,
        clientId: sim.clientId, secretFile, controlSocket: inDir('control.sock'), log: inDir('log'),
        pid: process.pid, port,
    };
    fs.writeFileSync(inDir('ready.json.new'), `${JSON.stringify(ready, null, 2)}\n`);
    fs.chmodSync(inDir('ready.json.new'), 0o644);
    fs.renameSync(inDir('ready.json.new'), inDir('ready.json'));
}

function endOnSignal(options) {
    const end = () => {
        for (const name of ['ready.json', 'control.sock'])
            fs.rmSync(path.join(options.dir, name), { force: true });
        process.exit(0);
    };
    process.once('SIGTERM', end);
    process.once('SIGINT', end);
}

// A dead HTTP/2 stream holds memory that V8 does not count, so by itself it would let a gigabyte of them pile up.
function collectOften() {
    v8.setFlagsFromString('--heap-growing-percent=50');
}

async function main(argv) {
    collectOften();
    const options = readOptions(argv);
    process.umask(0o077);
    prepareDirectory(options.dir);
    const config = readConfig(options.config);
    const sim = new Simulator({
        initialDomain: options.tenant, tenantId: options['tenant-id'], clientId: options['client-id'],
        seed: options.seed, settings: readSecret(options['secret-file'], config), users: config.users,
        logFile: path.join(options.dir, 'log'),
    });
    const credentials = ensureCertificates(options.dir);
    const { port } = await listenOnLoopback(() => createServer(sim, credentials, options['http1-only']), options.port);
    sim.setPort(options.publicPort === null ? port : options.publicPort);
    sim.setIdentityPort((await listen(createIdentityServer(sim), { host: HOSTS.v4, port: 0 })).port);
    await listen(createControl(sim), path.join(options.dir, 'control.sock'));
    endOnSignal(options);
    writeReady(options, sim, port, credentials.caFile);
}

main(process.argv.slice(2)).catch((error) => {
    process.stderr.write(`graph-simulator: ${error.message}\n`);
    process.exit(1);
});

'use strict';
// How fast the simulator is, and how far from a bare HTTP/2 server that answers a constant:
//
//     node tests/bench/simulator-speed.js [INVITATIONS [STREAMS]]
//
// "a core" is by the CPU time of the server, so that other work on the machine does not count.

const childProcess = require('child_process');
const fs = require('fs');
const http2 = require('http2');
const path = require('path');
const { Harness } = require('../graph-simulator/selftest/harness');

const COUNT = Number(process.argv[2] || 20000);
const STREAMS = Number(process.argv[3] || 50);
const BATCH = 20;
const WARM_UP = 2000;
const TICKS_PER_SECOND = 100;

function body(n) {
    return { invitedUserEmailAddress: `user${n}@fabrikam.com`, inviteRedirectUrl: 'https://myapps.microsoft.com/' };
}

function single(n) {
    return { path: '/v1.0/invitations', wanted: 201, text: JSON.stringify(body(n)) };
}

function batch(n) {
    const requests = Array.from({ length: BATCH }, (_, i) => ({
        id: String(i), method: 'POST', url: '/invitations', headers: { 'Content-Type': 'application/json' },
        body: body(n * BATCH + i),
    }));
    return { path: '/v1.0/$batch', wanted: 200, text: JSON.stringify({ requests }) };
}

function cpuSeconds(pid) {
    const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function megabytes(pid) {
    return Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
}

function send(session, authorization, request) {
    return new Promise((resolve, reject) => {
        const stream = session.request({
            ':method': 'POST', ':path': request.path, authorization, 'content-type': 'application/json',
        });
        stream.on('response', (headers) => {
            if (headers[':status'] !== request.wanted)
                reject(new Error(`status ${headers[':status']}`));
        });
        stream.on('error', reject);
        stream.on('end', resolve);
        stream.resume();
        stream.end(request.text);
    });
}

/** Sends make(from), make(from + 1), … with so many streams at once. */
async function sendAll(server, make, from, count) {
    const session = http2.connect(server.url, { ca: server.ca });
    const authorization = `Bearer ${server.token}`;
    let next = from;
    const stream = async () => {
        while (next < from + count)
            await send(session, authorization, make(next++));
    };
    await Promise.all(Array.from({ length: STREAMS }, stream));
    session.close();
}

/** Prints a line; returns the CPU seconds that one invitation costs the server. */
async function measure(name, server, make, each, from) {
    await sendAll(server, make, from, WARM_UP / each);
    const [cpu, begun] = [cpuSeconds(server.pid), process.hrtime.bigint()];
    await sendAll(server, make, from + WARM_UP / each, COUNT / each);
    const wall = Number(process.hrtime.bigint() - begun) / 1e9;
    const cost = (cpuSeconds(server.pid) - cpu) / COUNT;
    console.log(`${name}: ${Math.round(COUNT / wall)} a second, ${Math.round(1 / cost)} a core, `
        + `${Math.round(megabytes(server.pid))} MB`);
    return cost;
}

async function simulator() {
    const sim = new Harness();
    sim.start();
    const { graphUrl: url, pid } = sim.ready;
    return { sim, url, pid, ca: sim.ca, token: await sim.newToken() };
}

/** The same certificate, no thought: reads the body, answers the text of a true answer. */
function bareServer(dir, answer) {
    return new Promise((resolve, reject) => {
        const child = childProcess.fork(__filename, ['--bare', dir], { serialization: 'advanced' });
        child.once('message', (port) => resolve({ child, pid: child.pid, url: `https://localhost:${port}` }));
        child.once('exit', () => reject(new Error('the bare server ended')));
        child.send(answer);
    });
}

function beBare(dir) {
    const read = (name) => fs.readFileSync(path.join(dir, name));
    process.once('message', (answer) => {
        const server = http2.createSecureServer({ key: read('server.key'), cert: read('server.pem') });
        server.on('request', (request, response) => {
            request.on('end', () => {
                response.writeHead(201, { 'content-type': 'application/json' });
                response.end(answer);
            });
            request.resume();
        });
        server.listen(0, '127.0.0.1', () => process.send(server.address().port));
    });
    process.on('disconnect', () => process.exit(0));
}

async function main() {
    const served = await simulator();
    const { sim } = served;
    try {
        const answer = (await sim.invite('first@fabrikam.com')).body;
        const bare = { ...served, ...await bareServer(sim.dir, answer) };
        const bareCost = await measure('bare HTTP/2 server', bare, single, 1, 0);
        bare.child.removeAllListeners('exit');
        bare.child.disconnect();
        const cost = await measure('simulator', served, single, 1, 0);
        const inBatch = await measure(`simulator, batches of ${BATCH}`, served, batch, BATCH, COUNT + WARM_UP);
        console.log(`an invitation costs ${(cost / bareCost).toFixed(1)} times, one in a batch `
            + `${(inBatch / bareCost).toFixed(1)} times what the bare server's constant does`);
    } finally {
        sim.stop();
    }
}

if (process.argv[2] === '--bare')
    beBare(process.argv[3]);
else
    main().catch((error) => { console.error(error.stack); process.exitCode = 1; });

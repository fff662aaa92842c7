'use strict';
// From a connection to an answer: tracks connections, reads requests, lets faults act, writes the log line.

const http = require('http');
const http2 = require('http2');
const https = require('https');
const { unpackBatch } = require('./batch');
const { Context } = require('./context');
const { askedPause } = require('./fault-answers');
const { perform } = require('./perform');
const { recordArrival } = require('./record');
const { findRoute } = require('./routes');
const { understand } = require('./subject');
const { Wire } = require('./wire');

const CONNECTION = Symbol('connection');
const MAX_BODY = 4 * 1024 * 1024;

let lastConnection = 0;

function trackConnections(server, sim) {
    const rawSockets = new Map();
    const peer = (socket) => `${socket.remoteAddress} ${socket.remotePort}`;
    server.on('connection', (raw) => {
        const name = peer(raw);
        rawSockets.set(name, raw);
        raw.on('close', () => rawSockets.delete(name));
        raw.on('error', () => {});
    });
    server.prependListener('secureConnection', (tls) => {
        const entry = sim.ledger.connectionOpened(++lastConnection, tls.alpnProtocol || 'http/1.1');
        // A client that is killed right after the handshake has no address any more, and so no raw socket here.
        const connection = { entry, tls, raw: rawSockets.get(peer(tls)) || tls, requests: 0, isPlain: false };
        tls[CONNECTION] = connection;
        tls.on('error', () => {});
        connection.raw.on('close', () => sim.ledger.connectionClosed(entry));
    });
    for (const event of ['tlsClientError', 'sessionError', 'clientError'])
        server.on(event, (error, socket) => { if (socket && socket.destroy) socket.destroy(); });
}

function trackPlainConnections(server, sim) {
    server.on('connection', (raw) => {
        const entry = sim.ledger.connectionOpened(++lastConnection, 'plain');
        raw[CONNECTION] = { entry, tls: raw, raw, requests: 0, isPlain: true };
        raw.on('error', () => {});
        raw.on('close', () => sim.ledger.connectionClosed(entry));
    });
    server.on('clientError', (error, socket) => socket.destroy());
}

/** null if the client is gone: a session that has ended has no socket, and says so by throwing. */
function connectionOf(request) {
    try {
        const socket = request.httpVersionMajor === 2 ? request.stream.session.socket : request.socket;
        return socket[CONNECTION] || null;
    } catch (error) {
        return null;
    }
}

/** The body, or null if the client left or sent too much. */
function readBody(request) {
    return new Promise((resolve) => {
        const parts = [];
        let length = 0;
        request.on('data', (part) => {
            length += part.length;
            if (length <= MAX_BODY)
                parts.push(part);
        });
        request.on('end', () => resolve(length <= MAX_BODY ? Buffer.concat(parts) : null));
        request.on('aborted', () => resolve(null));
        request.on('error', () => resolve(null));
        request.on('close', () => resolve(null));
    });
}

/** Ends the request without an HTTP answer if the action says so. */
async function endWithoutAnswer(sim, wire, action) {
    if (action.reset === true)
        wire.reset();
    else if (action.reset === 'stream')
        wire.resetStream();
    else if (action.close)
        wire.close();
    else if (action.raw !== undefined)
        wire.raw(action.raw);
    else if (action.stuck) {
        await sim.faults.wait(undefined, (finish) => wire.whenGone(finish));
        if (!wire.gone)
            wire.resetStream();
    } else
        return false;
    return true;
}

async function serve(sim, ctx, route, wire) {
    const { answer, how } = await perform(sim, ctx, route);
    if (await endWithoutAnswer(sim, wire, how))
        return;
    ctx.record.status = answer.status;
    sim.ledger.throttledFor(askedPause(ctx, answer));
    if (answer.told)
        answer.told();
    await wire.send(answer, { ...how, gzip: sim.settings.gzip });
}

async function onRequest(sim, request, response) {
    const connection = connectionOf(request);
    if (connection === null) {
        (response.stream || response).destroy();
        return;
    }
    const route = findRoute(request.method, request.url, connection.isPlain);
    const record = recordArrival(sim, request, route, connection);
    let ctx = null;
    const wire = new Wire(request, response, connection, (answered) => {
        if (ctx && ctx.batch)
            ctx.batch.closed(answered);
        sim.finished(record, answered);
    });
    const body = await readBody(request);
    if (body === null) {
        wire.reset();
        return;
    }
    const { method, url, headers } = request;
    ctx = new Context(sim, { method, rawUrl: url, headers, body }, record);
    understand(sim, ctx, route);
    ctx.batch = unpackBatch(sim, ctx, route);
    // The client may have left with its last byte.
    if (ctx.batch && record.answered !== null)
        ctx.batch.closed(record.answered);
    sim.ledger.understood();
    await serve(sim, ctx, route, wire);
}

function serveRequests(server, sim) {
    server.keepAliveTimeout = 0;
    server.on('request', (request, response) => {
        onRequest(sim, request, response).catch((error) => {
            process.stderr.write(`graph-simulator: ${error.stack}\n`);
            (response.stream || response).destroy();
        });
    });
    return server;
}

/** An HTTPS server (not listening yet) that plays sim. credentials: {key, cert}. */
function createServer(sim, credentials, http1Only) {
    const options = { key: credentials.key, cert: credentials.cert, allowHTTP1: true, minVersion: 'TLSv1.2' };
    const server = http1Only ? https.createServer(options) : http2.createSecureServer(options);
    trackConnections(server, sim);
    return serveRequests(server, sim);
}

/** The managed identity service's: plain HTTP (contract 1.6). */
function createIdentityServer(sim) {
    const server = http.createServer();
    trackPlainConnections(server, sim);
    return serveRequests(server, sim);
}

module.exports = { createServer, createIdentityServer };

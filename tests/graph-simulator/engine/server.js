'use strict';
// From a connection to an answer: tracks connections, reads requests, lets faults act, writes the log line.

const http2 = require('http2');
const https = require('https');
const { Context } = require('./context');
const { addressOf } = require('./subject');
const { harms, insteadOf, alter, askedPause } = require('./fault-answers');
const { moment } = require('./faults');
const { findRoute, carryOut, isGraphPath } = require('./routes');
const { Wire } = require('./wire');

const CONNECTION = Symbol('connection');
const MAX_BODY = 4 * 1024 * 1024;
const DIAGNOSTIC = JSON.stringify({ ServerInfo: { DataCenter: 'Loopback', Slice: 'E', Ring: '0' } });
const EMPTY_ANSWER = { status: 200, headers: { 'content-type': 'application/json' }, body: '' };

const HEADER_SETS_MAX = 1000;

const headerSets = new Map();
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
        const connection = { entry, tls, raw: rawSockets.get(peer(tls)) || tls, requests: 0 };
        tls[CONNECTION] = connection;
        tls.on('error', () => {});
        connection.raw.on('close', () => sim.ledger.connectionClosed(entry));
    });
    for (const event of ['tlsClientError', 'sessionError', 'clientError'])
        server.on(event, (error, socket) => { if (socket && socket.destroy) socket.destroy(); });
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

function decodedQuery(rawUrl, template) {
    const at = rawUrl.indexOf('?');
    if (at < 0 || template === '/redeem')
        return '';
    try {
        return decodeURIComponent(rawUrl.slice(at + 1).replace(/\+/g, ' '));
    } catch (error) {
        return rawUrl.slice(at + 1);
    }
}

/** Lower-case names as sorted text, one that came twice twice. A client has few sets of them: each is kept once. */
function headerNames(request) {
    const names = request.rawHeaders.filter((text, i) => i % 2 === 0 && !text.startsWith(':'));
    const key = names.join(' ');
    if (!headerSets.has(key) && headerSets.size < HEADER_SETS_MAX)
        headerSets.set(key, names.map((name) => name.toLowerCase()).sort().join(' '));
    return headerSets.get(key) ?? null;
}

function recordArrival(sim, request, route, connection) {
    connection.requests++;
    connection.entry.requests++;
    return sim.ledger.arrived({
        method: request.method,
        template: route.template,
        path: route.path,
        query: decodedQuery(request.url, route.template),
        clientRequestId: request.headers['client-request-id'] || null,
        httpVersion: request.httpVersion,
        connection: connection.entry.id,
        connectionRequest: connection.requests,
        expect: /100-continue/i.test(String(request.headers.expect || '')),
        headers: headerNames(request),
        contentType: request.headers['content-type'] || null,
        isGraph: isGraphPath(request.url),
    });
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

/** Waits for the release that action.hold asks for. False: everything was reset meanwhile. */
async function passHold(sim, ctx, action) {
    if (action.hold === undefined)
        return true;
    ctx.record.held = true;
    const released = sim.faults.wait(action.hold);
    sim.ledger.understood();
    const how = await released;
    ctx.record.held = false;
    return how !== 'dropped';
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

function commonHeaders(ctx, answer) {
    const headers = {
        'request-id': ctx.requestId,
        'cache-control': 'no-cache',
        'strict-transport-security': 'max-age=31536000',
    };
    if (ctx.clientRequestId)
        headers['client-request-id'] = ctx.clientRequestId;
    if (isGraphPath(ctx.rawPath))
        headers['x-ms-ags-diagnostic'] = DIAGNOSTIC;
    else
        headers['x-ms-request-id'] = ctx.requestId;
    return { ...answer, headers: { ...headers, ...answer.headers } };
}

/** The answer to send, null if there is to be none; the effect has happened or not, as the action says. */
async function decide(sim, ctx, route, wire, action) {
    const isBefore = moment(action) === 'before';
    if (isBefore && !await passHold(sim, ctx, action)) {
        wire.resetStream();
        return null;
    }
    const trueAnswer = isBefore && harms(action) ? null : carryOut(sim, ctx, route);
    if (!isBefore && !await passHold(sim, ctx, action)) {
        wire.resetStream();
        return null;
    }
    if (await endWithoutAnswer(sim, wire, action))
        return null;
    const answer = insteadOf(sim, ctx, action) || trueAnswer || EMPTY_ANSWER;
    return alter(commonHeaders(ctx, answer), action);
}

async function serve(sim, ctx, route, wire) {
    const rule = sim.faults.choose(ctx.record);
    const action = rule ? rule.rule.action : {};
    ctx.action = action;
    ctx.record.fault = rule ? rule.id : null;
    if (action.latencyMs)
        await new Promise((resolve) => { setTimeout(resolve, action.latencyMs); });
    const answer = await decide(sim, ctx, route, wire, action);
    if (!answer)
        return;
    ctx.record.status = answer.status;
    sim.ledger.throttledFor(askedPause(ctx, answer));
    await wire.send(answer, { ...action, gzip: sim.settings.gzip });
}

async function onRequest(sim, request, response) {
    const connection = connectionOf(request);
    if (connection === null) {
        (response.stream || response).destroy();
        return;
    }
    const route = findRoute(request.method, request.url);
    const record = recordArrival(sim, request, route, connection);
    const wire = new Wire(request, response, connection, (answered) => sim.finished(record, answered));
    const body = await readBody(request);
    if (body === null) {
        wire.reset();
        return;
    }
    const { method, url, headers } = request;
    const ctx = new Context(sim, { method, rawUrl: url, headers, body }, record);
    record.address = addressOf(sim, ctx, route);
    if (route.template === '/v1.0/invitations' && request.method === 'POST') {
        const sent = ctx.json !== null && typeof ctx.json === 'object' ? ctx.json : {};
        record.mail = sent.sendInvitationMessage === true;
        ctx.post = sim.ledger.post(record, record.address || '', sent);
    }
    record.bodyRead = true;
    sim.ledger.understood();
    await serve(sim, ctx, route, wire);
}

/** An HTTPS server (not listening yet) that plays sim. credentials: {key, cert}. */
function createServer(sim, credentials, http1Only) {
    const options = { key: credentials.key, cert: credentials.cert, allowHTTP1: true, minVersion: 'TLSv1.2' };
    const server = http1Only ? https.createServer(options) : http2.createSecureServer(options);
    server.keepAliveTimeout = 0;
    trackConnections(server, sim);
    server.on('request', (request, response) => {
        onRequest(sim, request, response).catch((error) => {
            process.stderr.write(`graph-simulator: ${error.stack}\n`);
            (response.stream || response).destroy();
        });
    });
    return server;
}

module.exports = { createServer };

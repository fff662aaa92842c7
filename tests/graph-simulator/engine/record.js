'use strict';
// What the ledger is told of a request as it arrives, before its body is understood.

const { isGraphPath } = require('./routes');

const HEADER_SETS_MAX = 1000;

const headerSets = new Map();

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
function namesText(names) {
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
        batch: null,
        inner: null,
        expect: /100-continue/i.test(String(request.headers.expect || '')),
        headers: namesText(request.rawHeaders.filter((text, i) => i % 2 === 0 && !text.startsWith(':'))),
        contentType: request.headers['content-type'] || null,
        isGraph: isGraphPath(request.url),
    });
}

/** A request inside a batch, whose record is outer. names: of its own headers, as they were spelt. */
function recordInside(sim, outer, { id, method, rawUrl, headers, names }, route) {
    return sim.ledger.arrived({
        method,
        template: route.template,
        path: route.path,
        query: decodedQuery(rawUrl, route.template),
        clientRequestId: headers['client-request-id'] || null,
        httpVersion: outer.httpVersion,
        connection: outer.connection,
        connectionRequest: outer.connectionRequest,
        batch: outer.n,
        inner: id,
        expect: false,
        headers: namesText(names),
        contentType: headers['content-type'] || null,
        isGraph: true,
    });
}

module.exports = { recordArrival, recordInside };

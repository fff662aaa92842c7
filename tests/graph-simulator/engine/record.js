'use strict';
// What the ledger keeps of one request: what is known as it arrives, and what others find out or do later.

const { isGraphPath } = require('./routes');

const SHARED_MAX = 1000;
const SHOWN = ['n', 'time', 'method', 'template', 'path', 'query', 'status', 'clientRequestId', 'requestId',
    'httpVersion', 'connection', 'connectionRequest', 'batch', 'inner', 'headers', 'contentType', 'address', 'mail',
    'expect', 'grant', 'duringHold', 'fault', 'effect', 'answered', 'held', 'body'];

const methods = new Map();
const contentTypes = new Map();
const headerSets = new Map();

/** A text of the request lies in the HTTP parser's memory, which it would hold on to and V8 does not count. */
function ownCopy(text) {
    return text === undefined || text === '' ? null : Buffer.from(text).toString();
}

function decodedQuery(rawUrl, template) {
    const at = rawUrl.indexOf('?');
    if (at < 0 || template === '/redeem')
        return '';
    try {
        return ownCopy(decodeURIComponent(rawUrl.slice(at + 1).replace(/\+/g, ' '))) || '';
    } catch (error) {
        return ownCopy(rawUrl.slice(at + 1));
    }
}

/** Of what has few values, each is kept once. */
function shared(texts, key, toText = ownCopy) {
    const kept = texts.get(key);
    if (kept !== undefined)
        return kept;
    const text = toText(key);
    if (texts.size < SHARED_MAX)
        texts.set(ownCopy(key), text);
    return text;
}

/** Lower-case names as sorted text, one that came twice twice. */
function namesText(names) {
    return shared(headerSets, names.join(' '), () => names.map((name) => name.toLowerCase()).sort().join(' '));
}

/** There are a hundred thousand of them: all have the same members from the start, and share the texts they can. */
class Record {
    constructor(request, route, { httpVersion, connection, connectionRequest, batch, inner, names, expect }) {
        const { headers } = request;
        this.n = 0;
        this.at = 0;
        this.method = shared(methods, request.method);
        this.template = route.template;
        this.path = route.path === route.template ? route.template : route.path;
        this.query = decodedQuery(request.rawUrl, route.template);
        this.status = null;
        this.clientRequestId = ownCopy(headers['client-request-id']);
        this.requestId = null;
        this.httpVersion = httpVersion;
        this.connection = connection;
        this.connectionRequest = connectionRequest;
        this.batch = batch;
        this.inner = inner;
        this.headers = namesText(names);
        const type = headers['content-type'];
        this.contentType = type ? shared(contentTypes, type) : null;
        this.address = null;
        this.mail = null;
        this.expect = expect;
        this.grant = null;
        this.duringHold = false;
        this.fault = null;
        this.effect = false;
        this.answered = null;
        this.held = false;
        this.bodyRead = false;
        this.body = null;
    }

    get time() {
        return new Date(this.at).toISOString();
    }

    get isGraph() {
        return isGraphPath(this.path);
    }

    toJSON() {
        return Object.fromEntries(SHOWN.map((name) => [name, this[name]]));
    }
}

function recordArrival(sim, request, route, connection) {
    connection.requests++;
    connection.entry.requests++;
    const { method, url: rawUrl, headers, rawHeaders } = request;
    return sim.ledger.arrived(new Record({ method, rawUrl, headers }, route, {
        httpVersion: request.httpVersion, connection: connection.entry.id, connectionRequest: connection.requests,
        batch: null, inner: null, names: rawHeaders.filter((text, i) => i % 2 === 0 && !text.startsWith(':')),
        expect: /100-continue/i.test(headers.expect || ''),
    }));
}

/** A request inside a batch, whose record is outer. names: of its own headers, as they were spelt. */
function recordInside(sim, outer, request, route, id, names) {
    const { httpVersion, connection, connectionRequest, n } = outer;
    return sim.ledger.arrived(new Record(request, route, {
        httpVersion, connection, connectionRequest, batch: n, inner: id, names, expect: false,
    }));
}

module.exports = { recordArrival, recordInside, ownCopy };

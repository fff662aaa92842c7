'use strict';
// The fault proxy (X13): a man in the middle of the TLS connection between the worker and the simulator, who knows
// nothing of Graph. It plays by rules what networks, load balancers and broken servers do:
//
//     {"stage":"request","match":{"method":"POST","path":"^/v1.0/invitations","text":"taylor@"},"nth":1,"times":1,
//      "action":"truncate","how":{"at":40,"end":"reset"}}
//
// stage: `connection` (relay.js: what can be done to bytes that nobody can read) or `request` (actions.js: to one
// HTTP/1.1 exchange). match: the method, a regular expression on the path with its query, text and also: texts in that
// or in the body; all that is given must be so, and a connection has only `nth`. A rule acts from the nth that matches
// on, so many times (0: for ever). Of the rules that match, the first that is not used up acts.
//
// A connection that speaks HTTP/2 is passed on byte by byte once TLS is taken off, so of the rules only those for
// connections act on it; HTTP/1.1 alone is offered unless play() is told otherwise. The worker trusts the certificate
// because it is the simulator's own, by its own settings for TLS; each connection has one of its own to the simulator
// behind it, so what is counted there of connections is true of the worker's.

const fs = require('fs');
const http = require('http');
const https = require('https');
const path = require('path');
const tls = require('tls');
const { ACTIONS } = require('./actions');
const { certificates } = require('./certificates');
const { Relay } = require('./relay');

class Rules {
    constructor(rules) {
        this.rules = rules.map((rule) => ({
            nth: 1, times: 1, match: {}, how: {}, ...rule, seen: 0, acted: 0,
            path: rule.match && rule.match.path ? new RegExp(rule.match.path) : null,
        }));
    }

    /** subject: of a request {method, path, text: the path decoded, and the body}; nothing of a connection. */
    pick(stage, subject) {
        let found = null;
        for (const rule of this.rules) {
            if (rule.stage !== stage || !matches(rule, subject))
                continue;
            rule.seen++;
            if (found || rule.seen < rule.nth || (rule.times !== 0 && rule.acted >= rule.times))
                continue;
            rule.acted++;
            found = rule;
        }
        return found;
    }
}

function matches(rule, subject) {
    const { method, text, also } = rule.match;
    const has = (what) => what === undefined || subject.text.includes(what);
    return (method === undefined || method === subject.method) && (!rule.path || rule.path.test(subject.path)) &&
        has(text) && has(also);
}

function read(stream) {
    return new Promise((resolve, reject) => {
        const pieces = [];
        stream.on('data', (piece) => pieces.push(piece));
        stream.on('end', () => resolve(Buffer.concat(pieces)));
        stream.on('aborted', () => reject(new Error('cut off')));
        stream.on('error', reject);
    });
}

class Proxy {
    /** dir: the simulator's. Its certificate and port are read from there. */
    constructor(dir) {
        this.dir = dir;
        this.rules = new Rules([]);
        this.http2 = false;
        this.kill = () => {}; // what kills the worker
        this.acted = new Map(); // action: how often
        this.answers = new Map(); // of reads, for those that are given again
        this.servers = new Map(); // ports by certificate
        this.http = http.createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (request, response) =>
            this.exchange(request, response));
        this.http.on('clientError', (error, socket) => socket.destroy());
        this.relay = new Relay(this);
    }

    async listen(port) {
        const made = certificates(this.dir);
        this.ca = fs.readFileSync(path.join(this.dir, 'ca.pem'));
        for (const [name, pair] of Object.entries(made))
            this.servers.set(name, await this.terminate(pair, ['http/1.1']));
        this.servers.set('good by HTTP/2', await this.terminate(made.good, ['h2', 'http/1.1']));
        await this.relay.listen(port);
    }

    /** A TLS server on loopback that only the relay knows; its port. */
    terminate(pair, protocols) {
        const server = tls.createServer({ ...pair, ALPNProtocols: protocols });
        server.on('secureConnection', (socket) => this.connected(socket));
        server.on('tlsClientError', () => {});
        return new Promise((resolve) => {
            server.listen({ host: '127.0.0.1', port: 0 }, () => resolve(server.address().port));
        });
    }

    portFor(certificate) {
        return this.servers.get(certificate === 'good' && this.http2 ? 'good by HTTP/2' : certificate);
    }

    /** New rules; what was kept for the old ones is forgotten. */
    play(rules, { http2 = false } = {}) {
        this.rules = new Rules(rules);
        this.http2 = http2;
        this.answers.clear();
    }

    pick(stage, subject) {
        const rule = this.rules.pick(stage, subject);
        if (rule)
            this.acted.set(rule.action, (this.acted.get(rule.action) || 0) + 1);
        return rule;
    }

    upstream() {
        return { host: '127.0.0.1', port: JSON.parse(fs.readFileSync(path.join(this.dir, 'ready.json'))).port };
    }

    connected(socket) {
        socket.on('error', () => {});
        if (socket.alpnProtocol === 'h2') {
            this.passOn(socket);
            return;
        }
        socket.agent = new https.Agent({ ca: this.ca, keepAlive: true, maxSockets: 1, servername: 'localhost' });
        socket.on('close', () => socket.agent.destroy());
        this.http.emit('connection', socket);
    }

    passOn(socket) {
        const there = tls.connect({ ...this.upstream(), ca: this.ca, servername: 'localhost', ALPNProtocols: ['h2'] });
        there.on('error', () => socket.destroy());
        there.on('close', () => socket.destroy());
        socket.on('close', () => there.destroy());
        socket.pipe(there).pipe(socket);
    }

    /** The simulator's answer: {status, head: [name, value, ...], body}. */
    async forward(request, body) {
        const answer = await new Promise((resolve, reject) => {
            const headers = {};
            for (let i = 0; i < request.rawHeaders.length; i += 2)
                headers[request.rawHeaders[i]] = request.rawHeaders[i + 1];
            const sent = https.request({
                ...this.upstream(), agent: request.socket.agent, method: request.method, path: request.url, headers,
            }, resolve);
            sent.on('error', reject);
            sent.end(body);
        });
        const text = await read(answer);
        return { status: answer.statusCode, head: answer.rawHeaders, body: text };
    }

    async exchange(request, response) {
        response.on('error', () => {});
        try {
            const body = await read(request);
            const text = decodeURIComponent(request.url) + body.toString();
            const rule = this.pick('request', { method: request.method, path: request.url, text });
            const one = new Exchange(this, request, response, body);
            await (rule ? ACTIONS[rule.action](one, rule.how) : one.pass());
        } catch (error) { // the simulator's end of the line is gone, so is this one
            request.socket.destroy();
        }
    }
}

/** One request and what is done about it, as the actions see it. */
class Exchange {
    constructor(proxy, request, response, body) {
        Object.assign(this, { proxy, request, response, body, socket: request.socket });
    }

    get isRead() {
        return this.request.method === 'GET';
    }

    async forward() {
        const answer = await this.proxy.forward(this.request, this.body);
        if (this.isRead && answer.status === 200)
            this.proxy.answers.set(this.request.url, { answer, at: Date.now() });
        return answer;
    }

    answer({ status, head, body }) {
        this.response.writeHead(status, head);
        this.response.end(body);
    }

    async pass() {
        this.answer(await this.forward());
    }

    /** The connection below TLS, see relay.js. */
    get line() {
        return this.proxy.relay.lineOf(this.socket);
    }
}

module.exports = { Proxy };

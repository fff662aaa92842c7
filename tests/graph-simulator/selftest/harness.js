'use strict';
// One simulator of its own for a test file, and two small clients for it.

const assert = require('assert');
const childProcess = require('child_process');
const fs = require('fs');
const http2 = require('http2');
const https = require('https');
const os = require('os');
const path = require('path');
const tls = require('tls');
const { MessageChannel, Worker, receiveMessageOnPort } = require('worker_threads');
const { control } = require('../ctl');

const CTL = path.join(__dirname, '..', 'ctl');

class Failed extends Error {}

class Harness {
    start(...options) {
        this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'graph-simulator-'));
        this.ready = this.run('start', ...options);
        this.ca = fs.readFileSync(this.ready.caFile);
        this.secret = fs.readFileSync(this.ready.secretFile, 'utf8').trim();
        this.token = null;
    }

    stop() {
        this.run('stop');
        if (this.worker)
            this.worker.terminate();
        fs.rmSync(this.dir, { recursive: true, force: true });
    }

    reset() {
        this.ctl('reset');
        this.token = null;
    }

    runCtl(...words) {
        return childProcess.spawnSync(process.execPath, [CTL, this.dir, ...words], { encoding: 'utf8' });
    }

    run(verb, ...words) {
        const { status, stdout, stderr } = this.runCtl(verb, ...words);
        if (status !== 0)
            throw new Failed(`ctl ${verb}: exit ${status}: ${stderr}`);
        return stdout === '' ? null : JSON.parse(stdout);
    }

    startWorker() {
        const channel = new MessageChannel();
        this.port = channel.port1;
        this.flag = new Int32Array(new SharedArrayBuffer(4));
        this.worker = new Worker(path.join(__dirname, 'control-worker.js'),
            { workerData: { port: channel.port2, flag: this.flag }, transferList: [channel.port2] });
        this.worker.unref();
        this.port.unref();
    }

    /** One verb, without the cost of a process; throws what ctl would print. */
    ctl(verb, ...words) {
        if (!this.worker)
            this.startWorker();
        const texts = words.map((word) => (typeof word === 'string' ? word : JSON.stringify(word)));
        Atomics.store(this.flag, 0, 0);
        this.worker.postMessage({ dir: this.dir, verb, words: texts });
        Atomics.wait(this.flag, 0, 0);
        const { status, value } = receiveMessageOnPort(this.port).message;
        if (status !== 200)
            throw new Failed(`ctl ${verb}: ${value.error}`);
        return value;
    }

    set(key, value) {
        this.ctl('set', key, JSON.stringify(value));
    }

    /** One HTTP/1.1 request: {status, headers, body, json}. */
    http1(method, url, { headers = {}, body, agent } = {}) {
        return new Promise((resolve, reject) => {
            const request = https.request(url, { method, headers, ca: this.ca, agent: agent || false }, (response) => {
                const parts = [];
                response.on('data', (part) => parts.push(part));
                response.on('error', reject);
                response.on('aborted', () => reject(new Failed('aborted')));
                response.on('end', () => resolve(finish(response.statusCode, response.headers, parts)));
            });
            request.on('error', reject);
            request.end(body);
        });
    }

    /** A keep-alive agent with one connection. */
    keptConnection() {
        return new https.Agent({ keepAlive: true, maxSockets: 1, ca: this.ca });
    }

    /** One HTTP/2 request on a connection of its own. */
    http2(method, pathAndQuery, { headers = {}, body } = {}) {
        return new Promise((resolve, reject) => {
            const session = http2.connect(this.ready.graphUrl, { ca: this.ca });
            session.on('error', reject);
            const stream = session.request({ ':method': method, ':path': pathAndQuery, ...headers });
            const parts = [];
            let head = {};
            stream.on('response', (received) => { head = received; });
            stream.on('data', (part) => parts.push(part));
            stream.on('error', (error) => { session.destroy(); reject(error); });
            stream.on('close', () => {
                session.close();
                resolve(finish(head[':status'], head, parts));
            });
            stream.end(body);
        });
    }

    /** What the server picks of the protocols offered. */
    alpn(protocols) {
        return new Promise((resolve, reject) => {
            const options = { host: 'localhost', port: this.ready.port, ca: this.ca, ALPNProtocols: protocols };
            const socket = tls.connect(options, () => {
                resolve(socket.alpnProtocol);
                socket.destroy();
            });
            socket.on('error', reject);
        });
    }

    form(fields) {
        return new URLSearchParams(fields).toString();
    }

    goodForm(changes = {}) {
        const fields = {
            client_id: this.ready.clientId, grant_type: 'client_credentials', scope: `${this.ready.graphUrl}/.default`,
            client_secret: this.secret, ...changes,
        };
        for (const key of Object.keys(fields)) {
            if (fields[key] === undefined)
                delete fields[key];
        }
        return fields;
    }

    askToken(fields = this.goodForm(), tenant = this.ready.tenant, headers = {}) {
        return this.http1('POST', `${this.ready.loginUrl}/${tenant}/oauth2/v2.0/token`, {
            headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers }, body: this.form(fields),
        });
    }

    async newToken() {
        this.token = (await this.askToken()).json.access_token;
        return this.token;
    }

    /** A Graph call with a good token; path is under /v1.0. */
    async graph(method, pathAndQuery, body, headers = {}, more = {}) {
        if (!this.token)
            await this.newToken();
        const all = { authorization: `Bearer ${this.token}`, ...headers };
        if (body !== undefined)
            all['content-type'] = all['content-type'] || 'application/json';
        const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
        return this.http1(method, `${this.ready.graphUrl}/v1.0${pathAndQuery}`, { headers: all, body: text, ...more });
    }

    invite(address, more = {}, options = {}) {
        const body = { invitedUserEmailAddress: address, inviteRedirectUrl: 'https://myapps.microsoft.com/', ...more };
        return this.graph('POST', '/invitations', body, options.headers, options.more);
    }

    /** Users by filter, the value percent-encoded as a client has to. */
    filter(text, more = '', headers = {}) {
        return this.graph('GET', `/users?$filter=${encodeURIComponent(text)}${more}`, undefined, headers);
    }

    async grant(...roles) {
        this.set('roles', roles);
        await this.newToken();
    }

    ledger(address) {
        return this.ctl('ledger', ...(address === undefined ? [] : [address]));
    }
}

function finish(status, headers, parts) {
    const bytes = Buffer.concat(parts);
    const body = bytes.toString('utf8');
    let json;
    try {
        json = JSON.parse(body);
    } catch (error) {
        json = undefined;
    }
    return { status, headers, body, json, length: bytes.length };
}

/** ctl wait without blocking this process, which has the request under way. */
async function waitFor(sim, condition) {
    const { status, value } = await control(sim.dir, 'wait', [JSON.stringify(condition)]);
    assert.strictEqual(status, 200, JSON.stringify(value));
}

module.exports = { Harness, waitFor };

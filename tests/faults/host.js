'use strict';
// The host under test, for tests that are one Node.js process: its worker, started and killed; its socket; the
// simulator's control. Who starts such a test has installed the tree, started the simulator behind the proxy's port,
// written the configuration, and kept the state of a worker that has seen its rules (proxied.sh).

const childProcess = require('child_process');
const fs = require('fs');
const net = require('net');
const path = require('path');
const { control } = require('../graph-simulator/ctl');
const { Proxy } = require('./proxy/proxy');

const STATE = '/var/lib/entra-invite';
const SOCKET = '/run/entra-invite/entra-invite.sock';

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

const loginOf = (i) => `p${String(i).padStart(4, '0')}`;
const addressOf = (i) => `${loginOf(i)}@fabrikam.com`;
const indexOf = (address) => Number(address.slice(1, 5));

class Host {
    /** dir: where it may write; simulator: the simulator's directory; start: the state to begin with; gid: of partners;
     *  timeoutMs: of the worker's requests. */
    constructor({ dir, simulator, start, port, gid, timeoutMs }) {
        Object.assign(this, { dir, simulator, start, port, gid, timeoutMs });
        this.passwd = fs.readFileSync('/etc/passwd', 'utf8');
        this.transitions = path.join(dir, 'transitions');
        this.log = fs.openSync(path.join(dir, 'worker.log'), 'a');
        this.proxy = new Proxy(simulator);
        this.worker = null;
    }

    async open() {
        await this.proxy.listen(this.port);
    }

    /** A host with so many accounts, of whom it and the tenant know nobody. */
    async begin(count) {
        await this.kill();
        const lines = Array.from({ length: count }, (_, i) =>
            `${loginOf(i)}:x:${20000 + i}:${this.gid}:Taylor Example <${addressOf(i)}>:/tmp:/bin/bash\n`);
        fs.writeFileSync('/etc/passwd.new', this.passwd + lines.join(''));
        fs.renameSync('/etc/passwd.new', '/etc/passwd');
        fs.rmSync(STATE, { recursive: true, force: true });
        childProcess.execFileSync('cp', ['-a', this.start, STATE]);
        fs.writeFileSync(this.transitions, '');
        fs.chmodSync(this.transitions, 0o666);
        await this.tell('reset');
    }

    async tell(verb, ...words) {
        const { status, value } = await control(this.simulator, verb, words);
        if (status !== 200)
            throw new Error(`the simulator, ${verb}: ${value.error}`);
        return value;
    }

    launch() {
        this.worker = childProcess.spawn('entra-invited', ['--foreground'], {
            stdio: ['ignore', this.log, this.log],
            env: {
                ...process.env, EI_SETTLE_NOW: '1', EI_FAILPOINT_TIMEOUT_MS: String(this.timeoutMs),
                EI_FAILPOINT_TRANSITIONS: this.transitions,
            },
        });
        const { worker } = this;
        worker.ended = new Promise((resolve) => { worker.on('exit', (code, signal) => resolve(signal || code)); });
    }

    /** How it ended: SIGKILL, unless it had ended by itself before. */
    async kill() {
        if (!this.worker)
            return null;
        this.worker.kill('SIGKILL');
        const how = await this.worker.ended;
        this.worker = null;
        return how;
    }

    /** One call; null where nobody answers. */
    call(method, parameters = {}) {
        return new Promise((resolve) => {
            const socket = net.connect(SOCKET, () =>
                socket.write(`${JSON.stringify({ method: `io.entrainvite.${method}`, parameters })}\0`));
            let text = '';
            socket.setEncoding('utf8');
            socket.on('data', (piece) => {
                text += piece;
                if (!text.endsWith('\0'))
                    return;
                socket.destroy();
                resolve(JSON.parse(text.slice(0, -1)).parameters);
            });
            socket.on('error', () => resolve(null));
            socket.on('close', () => resolve(null));
        });
    }

    async accounts() {
        const all = [];
        for (let after; ;) {
            const reply = await this.call('List', after ? { after } : {});
            if (!reply || !reply.accounts)
                return all;
            all.push(...reply.accounts);
            if (!reply.next)
                return all;
            after = reply.next;
        }
    }

    /** What Status says once it says what is waited for; null after half a minute. */
    async status(isSaid) {
        for (const end = Date.now() + 30000; Date.now() < end; await pause(50)) {
            const status = await this.call('Status');
            if (status && status.status && isSaid(status))
                return status;
        }
        return { blocked: { code: 'nothing' }, holdUntil: null };
    }

    /** The transitions since begin(). */
    recorded() {
        return fs.readFileSync(this.transitions, 'utf8');
    }

    /** Until all of so many are as they are to be, or the time is over: what was brought forward by then is due. */
    async until(count, isRight, limitMs) {
        const end = Date.now() + limitMs;
        let accounts = [];
        for (let turn = 0; Date.now() < end; turn++) {
            if (turn % 4 === 0)
                await this.call('Refresh');
            accounts = await this.accounts();
            if (accounts.length === count && accounts.every(isRight))
                return accounts;
            await pause(60);
        }
        return accounts;
    }
}

module.exports = { Host, addressOf, indexOf, pause };

'use strict';
// ctl, the ledger, the log and the certificate, as README.md describes them.

const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it, before, after, beforeEach } = require('node:test');
const { Harness } = require('./harness');

const taylor = 'taylor@fabrikam.com';

describe('control', () => {
    const sim = new Harness();
    before(() => sim.start());
    after(() => sim.stop());
    beforeEach(() => sim.reset());

    it('ready.json names all that a client needs; private files are private', () => {
        const { ready } = sim;
        assert.strictEqual(ready.loginUrl, `https://localhost:${ready.port}`);
        assert.strictEqual(ready.graphUrl, ready.loginUrl);
        const mode = (file) => fs.statSync(file).mode & 0o777;
        assert.strictEqual(mode(ready.caFile), 0o644);
        for (const file of [ready.secretFile, ready.controlSocket, ready.log, path.join(sim.dir, 'ca.key')])
            assert.strictEqual(mode(file) & 0o077, 0, file);
    });

    it('--public-port is in the URLs, and another one listens', () => {
        const behind = new Harness();
        behind.start('--public-port', '18443');
        const { graphUrl, loginUrl, port } = behind.ready;
        behind.stop();
        assert.deepStrictEqual([graphUrl, loginUrl], ['https://localhost:18443', 'https://localhost:18443']);
        assert.notStrictEqual(port, 18443);
    });

    it('exit codes: 1 refused, 2 usage, 3 not running, 4 wait timed out', () => {
        const exit = (...words) => sim.runCtl(...words).status;
        assert.strictEqual(exit('set', 'colour', '"red"'), 1);
        assert.strictEqual(exit('start'), 1);
        assert.strictEqual(exit('paint'), 2);
        assert.strictEqual(exit('advance'), 2);
        assert.strictEqual(exit('fault', '{'), 2);
        assert.strictEqual(exit('--help'), 0);
        assert.strictEqual(exit('wait', '{"path":"/users","count":1}', '--timeout', '0.05'), 4);
        const elsewhere = new Harness();
        elsewhere.dir = path.join(sim.dir, 'nothing');
        assert.strictEqual(elsewhere.runCtl('ledger').status, 3);
        assert.strictEqual(elsewhere.runCtl('stop').status, 0);
    });

    it('a start that fails says why, exit 3', () => {
        const other = new Harness();
        other.dir = path.join(sim.dir, 'other');
        const { status, stderr } = other.runCtl('start', '--port', String(sim.ready.port));
        assert.strictEqual(status, 3);
        assert.match(stderr, /EADDRINUSE/);
    });

    it('ledger: a fresh connection, HTTP/1.1, exactly one request', async () => {
        await sim.invite(taylor, {}, { headers: { 'client-request-id': 'crid-1' } });
        const [post] = sim.ledger(taylor).posts;
        assert.deepStrictEqual([post.httpVersion, post.connectionRequest, post.clientRequestId], ['1.1', 1, 'crid-1']);
        const connection = sim.ledger().connections.find(({ id }) => id === post.connection);
        assert.deepStrictEqual([connection.requests, connection.alpn], [1, 'http/1.1']);
        assert.strictEqual(sim.ctl('requests', { path: '/invitations' })[0].expect, false);
    });

    it('ledger: the names of the headers, and the type of the body', async () => {
        await sim.invite(taylor, {}, { headers: { 'X-Odd': '1', 'content-type': 'application/json; charset=utf-8' } });
        const [post] = sim.ctl('requests', { path: '/invitations' });
        assert.match(post.headers, /^[a-z -]+$/);
        assert.ok(['authorization', 'content-type', 'x-odd'].every((name) => post.headers.split(' ').includes(name)));
        assert.strictEqual(post.contentType, 'application/json; charset=utf-8');
        await sim.http2('GET', '/v1.0/users');
        const [get] = sim.ctl('requests', { path: '/users' });
        assert.ok(!get.headers.includes(':') && !get.headers.includes('content-type'));
        assert.strictEqual(get.contentType, null);
    });

    it('ledger: Expect: 100-continue and HTTP/2 are told', async () => {
        await sim.invite(taylor, {}, { headers: { expect: '100-continue' } });
        assert.strictEqual(sim.ctl('requests', { path: '/invitations' })[0].expect, true);
        await sim.http2('GET', '/v1.0/users');
        assert.strictEqual(sim.ctl('requests', { path: '/users' })[0].httpVersion, '2.0');
    });

    it('counters', async () => {
        await sim.invite(taylor, { sendInvitationMessage: true });
        await sim.graph('GET', '/users');
        sim.ctl('redeem', taylor);
        sim.ctl('wait', { count: 3, over: true });
        const { counters } = sim.ledger();
        assert.deepStrictEqual(counters.byTemplate,
            { 'POST /{tenant}/oauth2/v2.0/token': 1, 'POST /v1.0/invitations': 1, 'GET /v1.0/users': 1 });
        assert.deepStrictEqual(counters.byStatus, { 200: 2, 201: 1 });
        assert.deepStrictEqual([counters.tokensIssued, counters.guestsCreated, counters.mails, counters.redemptions,
            counters.requests, counters.maxConcurrency, counters.inProgress], [1, 1, 1, 1, 3, 1, 0]);
    });

    it('the log has no token, secret or redeem URL', async () => {
        const { json } = await sim.invite(taylor);
        await sim.http1('GET', json.inviteRedeemUrl);
        await sim.graph('GET', '/users', undefined, { 'client-request-id': 'crid-2' });
        sim.ctl('wait', { count: 4, over: true });
        const log = fs.readFileSync(sim.ready.log, 'utf8');
        assert.match(log, / POST \/v1\.0\/invitations 201 /);
        assert.match(log, / GET \/redeem 302 /);
        assert.match(log, / GET \/v1\.0\/users 200 crid-2 /);
        for (const secret of [sim.token, sim.secret, 'ticket'])
            assert.ok(!log.includes(secret));
        assert.ok(!JSON.stringify(sim.ctl('requests')).includes('ticket'));
    });

    it('wait sees what has happened, by address or by count', async () => {
        await sim.invite(taylor, { sendInvitationMessage: true });
        sim.ctl('wait', { address: taylor.toUpperCase(), posts: 1, mails: 1, guests: 1 });
        sim.ctl('wait', { path: '/invitations$', method: 'POST', count: 1, answered: true });
        assert.strictEqual(sim.runCtl('wait', '{"address":"a@b.c"}').status, 1);
    });

    it('the same seed gives the same ids; reset all returns to the start', async () => {
        const run = async () => [(await sim.invite(taylor)).json.invitedUser.id, sim.token.split('.')[2]];
        const first = await run();
        sim.reset();
        assert.deepStrictEqual(sim.ledger().requests, []);
        assert.deepStrictEqual(await run(), first);
        sim.ctl('reset', 'ledger');
        assert.deepStrictEqual(sim.ledger(taylor).guests, []);
        assert.strictEqual(sim.ctl('show', taylor).length, 1);
    });

    it('user and settings refuse what they don\'t know, by name', () => {
        for (const wrong of [{ kind: 'robot', address: 'a@b.example' }, { kind: 'member' }, { find: 'nobody' },
            { kind: 'member', address: 'a@b.example', colour: 'red' },
            { kind: 'member', address: 'a@b.example', set: { x: 1 } }])
            assert.throws(() => sim.ctl('user', wrong), /ctl user: user: /);
        assert.throws(() => sim.set('tokenExpiresIn', 'long'), /must be seconds/);
        assert.strictEqual(sim.ctl('get', 'maxOrClauses'), 15);
        assert.strictEqual(sim.ctl('get').secret, '(set)');
    });
});

describe('start', () => {
    it('options and config; certificates are kept; HTTP/1.1 only', async () => {
        const sim = new Harness();
        sim.dir = fs.mkdtempSync(path.join(require('node:os').tmpdir(), 'graph-simulator-'));
        fs.writeFileSync(path.join(sim.dir, 'secret'), 'my+secret=1\n');
        fs.writeFileSync(path.join(sim.dir, 'config.json'), JSON.stringify({
            roles: ['User.Read.All'], users: [{ kind: 'accepted', address: taylor }],
        }));
        const options = ['--tenant', 'fabrikam.onmicrosoft.com', '--secret-file', path.join(sim.dir, 'secret'),
            '--config', path.join(sim.dir, 'config.json'), '--http1-only'];
        try {
            const first = sim.run('start', ...options);
            const ca = fs.readFileSync(first.caFile, 'utf8');
            sim.run('stop');
            assert.ok(!fs.existsSync(path.join(sim.dir, 'ready.json')));
            sim.ready = sim.run('start', ...options, '--port', String(first.port));
            sim.ca = fs.readFileSync(sim.ready.caFile);
            assert.strictEqual(sim.ca.toString(), ca);
            assert.strictEqual(sim.ready.port, first.port);
            sim.secret = 'my+secret=1';
            const users = await sim.filter("userPrincipalName eq 'taylor_fabrikam.com#EXT#@fabrikam.onmicrosoft.com'");
            assert.strictEqual(users.json.value.length, 1);
            assert.strictEqual((await sim.invite('b@other.example')).status, 403);
            assert.strictEqual(await sim.alpn(['h2', 'http/1.1']), 'http/1.1');
        } finally {
            sim.stop();
        }
    });
});

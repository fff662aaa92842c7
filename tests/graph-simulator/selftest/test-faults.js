'use strict';
// The faults of README.md, over HTTP/1.1 and HTTP/2 (rules X6, X8, X13).

const assert = require('node:assert');
const http2 = require('node:http2');
const { describe, it, before, after, beforeEach } = require('node:test');
const { Harness, waitFor } = require('./harness');

const taylor = 'taylor@fabrikam.com';
const INVITATIONS = { match: { method: 'POST', path: '^/v1.0/invitations$' } };

describe('faults', () => {
    const sim = new Harness();
    before(() => sim.start());
    after(() => sim.stop());
    beforeEach(() => sim.reset());

    const fault = (action, more = {}) => sim.ctl('fault', { ...INVITATIONS, action, ...more });
    const guests = () => sim.ledger(taylor).guests.length;
    const lastPost = () => sim.ledger(taylor).posts.pop();

    async function invite2(headers = {}) {
        if (!sim.token)
            await sim.newToken();
        return sim.http2('POST', '/v1.0/invitations', {
            headers: { 'authorization': `Bearer ${sim.token}`, 'content-type': 'application/json', ...headers },
            body: JSON.stringify({ invitedUserEmailAddress: taylor, inviteRedirectUrl: 'https://a.example/' }),
        });
    }

    /** Three answers are under way on an HTTP/2 connection when a fourth request is met by a reset. */
    function sessionThatDies() {
        const session = http2.connect(sim.ready.graphUrl, { ca: sim.ca });
        const authorization = `Bearer ${sim.token}`;
        session.on('error', () => {});
        for (const [method, path] of [...Array(3).fill(['GET', '/users']), ['POST', '/invitations']]) {
            const stream = session.request({ ':method': method, ':path': `/v1.0${path}`, authorization });
            stream.on('error', () => {});
            stream.resume();
            stream.end();
        }
        return new Promise((resolve) => {
            setTimeout(() => { session.destroy(); resolve(); }, 20);
        });
    }

    it('status before the effect, with Graph\'s error body; only once by default', async () => {
        fault({ status: 503 });
        const { status, json } = await sim.invite(taylor);
        assert.deepStrictEqual([status, json.error.code, guests()], [503, 'ServiceUnavailable', 0]);
        assert.deepStrictEqual([lastPost().effect, lastPost().answered], [false, 'yes']);
        assert.strictEqual((await sim.invite(taylor)).status, 201);
    });

    it('status after the effect', async () => {
        fault({ status: 500, when: 'after' });
        assert.strictEqual((await sim.invite(taylor)).status, 500);
        assert.deepStrictEqual([guests(), lastPost().effect, lastPost().status], [1, true, 500]);
    });

    it('X8: Retry-After in every form', async () => {
        const forms = [[2, '2'], ['2.128', '2.128'], [{ decimal: '0.5' }, '0.5'], ['99999999999', '99999999999'],
            ['-1', '-1'], ['soon', 'soon'], ['', ''], [undefined, undefined]];
        for (const [given, sent] of forms) {
            fault({ status: 429, ...(given === undefined ? {} : { retryAfter: given }) });
            const { status, headers, json } = await sim.invite(taylor);
            assert.deepStrictEqual([status, json.error.code, headers['retry-after']], [429, 'TooManyRequests', sent]);
        }
        fault({ status: 429, retryAfter: { date: 30 } });
        const date = (await sim.invite(taylor)).headers['retry-after'];
        assert.match(date, /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/);
        assert.ok(Date.parse(date) > Date.now());
    });

    it('a request during a Retry-After hold is counted; after it, not', async () => {
        fault({ status: 429, retryAfter: 20 });
        await sim.invite(taylor);
        await sim.graph('GET', '/users');
        assert.strictEqual((await sim.askToken()).status, 200);
        assert.strictEqual(sim.ledger().counters.duringHold, 1);
        sim.ctl('advance', '21');
        await sim.graph('GET', '/users');
        const held = sim.ctl('requests', { path: '/users' }).map((request) => request.duringHold);
        assert.deepStrictEqual(held, [true, false]);
    });

    it('reset and close, before and after the effect, on both versions', async () => {
        for (const how of [{ reset: true }, { close: true }, { reset: 'stream' }]) {
            for (const send of [() => sim.invite(taylor), invite2]) {
                for (const when of ['before', 'after']) {
                    sim.ctl('reset', 'users');
                    sim.ctl('reset', 'ledger');
                    fault({ ...how, when });
                    await send().then(({ status }) => assert.strictEqual(status, undefined), () => {});
                    await waitFor(sim, { path: '/invitations$', over: true, count: 1 });
                    const { effect, answered, status } = lastPost();
                    assert.deepStrictEqual([effect, answered, status], [when === 'after', 'no', null],
                        JSON.stringify([how, when]));
                    assert.strictEqual(guests(), when === 'after' ? 1 : 0);
                }
            }
        }
    });

    it('reset of a stream leaves the other streams of the connection alone', async () => {
        await sim.newToken();
        fault({ reset: 'stream' });
        const session = http2.connect(sim.ready.graphUrl, { ca: sim.ca });
        const send = (method, path, body) => new Promise((resolve) => {
            const authorization = `Bearer ${sim.token}`;
            const stream = session.request({
                ':method': method, ':path': path, authorization, 'content-type': 'application/json',
            });
            let status = null;
            stream.on('response', (headers) => { status = headers[':status']; });
            stream.on('error', () => {});
            stream.on('close', () => resolve(status));
            stream.resume();
            stream.end(body);
        });
        const statuses = await Promise.all([send('POST', '/v1.0/invitations', '{}'), send('GET', '/v1.0/users')]);
        session.close();
        assert.deepStrictEqual(statuses, [null, 200]);
        const requests = sim.ctl('requests', { httpVersion: '2.0' });
        assert.deepStrictEqual(requests.map((request) => request.connectionRequest), [1, 2]);
    });

    // Node 18 crashes when it collects a socket on which bytes waited as it went.
    it('connections reset amid their answers do not end the simulator', async () => {
        sim.ctl('fault', { match: { path: '^/v1.0/users' }, times: 0, action: { huge: 300000 } });
        fault({ reset: true }, { times: 0 });
        await sim.newToken();
        for (let i = 0; i < 100; i++)
            await sessionThatDies();
        sim.ctl('faults-clear');
        assert.strictEqual((await sim.graph('GET', '/users')).status, 200);
        assert.ok(sim.ctl('requests', { method: 'POST', path: '/invitations$' }).length > 50);
    });

    it('X6: a kept connection dies after the body was read: exactly one request has arrived', async () => {
        const agent = sim.keptConnection();
        await sim.graph('GET', '/users', undefined, {}, { agent });
        sim.ctl('fault', { match: { path: '/invitations$', reused: true }, action: { close: true } });
        await assert.rejects(sim.invite(taylor, { sendInvitationMessage: true }, { more: { agent } }));
        const { posts, mails } = sim.ledger(taylor);
        assert.deepStrictEqual([posts.length, mails.length], [1, 0]);
        assert.deepStrictEqual([posts[0].connectionRequest, posts[0].httpVersion], [2, '1.1']);
        agent.destroy();
    });

    it('truncated, empty, HTML, wrong type, other body: the effect has happened', async () => {
        fault({ truncate: 40 });
        await assert.rejects(sim.invite(taylor));
        await waitFor(sim, { path: '/invitations$', over: true, count: 1 });
        assert.deepStrictEqual([lastPost().answered, guests()], ['partly', 1]);
        fault({ truncate: 40 });
        await invite2().then(({ length }) => assert.strictEqual(length, 40), () => {});
        await waitFor(sim, { path: '/invitations$', over: true, count: 2 });
        assert.strictEqual(lastPost().answered, 'partly');
        fault({ truncate: 0 });
        await assert.rejects(sim.invite(taylor));
        const expectations = [
            [{ empty: true }, ({ status, body }) => status === 201 && body === ''],
            [{ html: true }, ({ status, headers, json }) => status === 201 && /html/.test(headers['content-type'])
                && !json],
            [{ contentType: 'text/plain' }, ({ headers, json }) => headers['content-type'] === 'text/plain' && json.id],
            [{ body: '{"id":' }, ({ body }) => body === '{"id":'],
            [{ body: { id: 7 } }, ({ json }) => json.id === 7],
            [{ headers: { 'X-Test': 'y' } }, ({ headers }) => headers['x-test'] === 'y'],
            [{ status: 200, html: true }, ({ status, json }) => status === 200 && !json],
            [{ status: 502, html: true }, ({ status, json }) => status === 502 && !json],
            [{ status: 400, code: '', message: 'x' }, ({ json }) => json.error.code === ''
                && json.error.message === 'x'],
        ];
        for (const [action, isRight] of expectations) {
            fault(action);
            const answer = await sim.invite(taylor);
            assert.ok(isRight(answer), JSON.stringify([action, answer]));
        }
    });

    it('huge and dribbled bodies are whole in the end', async () => {
        fault({ huge: 300000 });
        const huge = await sim.invite(taylor);
        assert.deepStrictEqual([huge.length, huge.json.invitedUserEmailAddress], [300000, taylor]);
        fault({ dribble: { bytes: 100, everyMs: 1 } });
        assert.strictEqual((await invite2()).json.invitedUserEmailAddress, taylor);
    });

    it('raw bytes in place of HTTP', async () => {
        fault({ raw: 'nonsense\r\n\r\n' });
        await assert.rejects(sim.invite(taylor), /Parse Error|socket hang up/);
    });

    it('stuck: no answer until cleared', async () => {
        fault({ stuck: true });
        const answer = sim.invite(taylor).then(() => 'answered', () => 'failed');
        await waitFor(sim, { path: '/invitations$', count: 1 });
        const [request] = sim.ctl('requests', { path: '/invitations$' });
        assert.deepStrictEqual([request.answered, request.effect], [null, false]);
        sim.ctl('faults-clear');
        assert.strictEqual(await answer, 'failed');
    });

    it('hold before and after the effect, seen by wait, let go by name', async () => {
        for (const [when, count] of [['before', 0], ['after', 1]]) {
            fault({ hold: when, when });
            const answer = sim.invite(taylor);
            await waitFor(sim, { path: '/invitations$', held: true, count: 1 });
            assert.strictEqual(guests(), count);
            assert.strictEqual(sim.ctl('release', 'another').released, 0);
            assert.strictEqual(sim.ctl('release', when).released, 1);
            assert.strictEqual((await answer).status, 201);
        }
    });

    it('a held request has its effect on release even if the client is gone (C6)', async () => {
        fault({ hold: 'late', when: 'before' });
        const agent = sim.keptConnection();
        const answer = sim.invite(taylor, {}, { more: { agent } });
        await waitFor(sim, { path: '/invitations$', held: true, count: 1 });
        agent.destroy();
        await assert.rejects(answer);
        await waitFor(sim, { path: '/invitations$', held: true, over: true, count: 1 });
        sim.ctl('release', 'late');
        await waitFor(sim, { address: taylor, guests: 1 });
        assert.strictEqual(lastPost().answered, 'no');
    });

    it('nth, times, mail and address choose; rules count what they see', async () => {
        sim.ctl('fault', { match: { path: '/invitations$', mail: true }, action: { status: 500 }, nth: 2, times: 2 });
        const send = async (mail) => (await sim.invite(taylor, { sendInvitationMessage: mail })).status;
        const statuses = [];
        for (const mail of [true, false, true, true, true])
            statuses.push(await send(mail));
        assert.deepStrictEqual(statuses, [201, 201, 500, 500, 201]);
        assert.deepStrictEqual(sim.ctl('faults').map(({ seen, acted }) => [seen, acted]), [[4, 2]]);
        sim.ctl('faults-clear');
        sim.ctl('fault', { match: { address: 'TAYLOR@fabrikam.com' }, action: { status: 500 }, times: 0 });
        assert.strictEqual((await sim.invite('b@fabrikam.com')).status, 201);
        assert.strictEqual((await sim.invite(taylor)).status, 500);
        assert.strictEqual((await sim.filter(`mail eq '${taylor}'`)).status, 500);
        const { id } = sim.ledger(taylor).users[0];
        assert.strictEqual((await sim.graph('GET', `/users/${id}`)).status, 500);
    });

    it('chance is the same in each run', async () => {
        const run = async () => {
            sim.reset();
            sim.ctl('fault', { match: { path: '/users$' }, action: { status: 500 }, times: 0, chance: 0.5 });
            const statuses = [];
            for (let i = 0; i < 12; i++)
                statuses.push((await sim.graph('GET', '/users')).status);
            return statuses;
        };
        const first = await run();
        assert.deepStrictEqual(await run(), first);
        assert.ok(first.includes(500) && first.includes(200));
    });

    it('replication of one guest alone', async () => {
        fault({ replication: { byIdMs: 1000 } });
        const { id } = (await sim.invite(taylor)).json.invitedUser;
        assert.strictEqual((await sim.graph('GET', `/users/${id}`)).status, 404);
    });

    it('6: write limit as a token bucket, decimal Retry-After', async () => {
        sim.set('writeLimit', { writes: 2, seconds: 10 });
        const statuses = [];
        for (let i = 0; i < 3; i++)
            statuses.push((await sim.invite(`u${i}@fabrikam.com`)).status);
        assert.deepStrictEqual(statuses, [201, 201, 429]);
        assert.strictEqual((await sim.graph('GET', '/users')).status, 200);
        sim.ctl('advance', '5');
        assert.strictEqual((await sim.invite('u3@fabrikam.com')).status, 201);
    });

    it('gzip, if asked for and accepted', async () => {
        sim.set('gzip', true);
        const { headers } = await sim.graph('GET', '/users', undefined, { 'accept-encoding': 'gzip' });
        assert.strictEqual(headers['content-encoding'], 'gzip');
        assert.ok((await sim.graph('GET', '/users')).json);
    });

    it('a rule that says nothing sensible is refused by name', () => {
        const rules = [{}, { action: { explode: true } }, { action: { status: 42 } },
            { match: { url: 'x' }, action: {} }, { action: {}, times: -1 }, { match: { path: '(' }, action: {} }];
        for (const rule of rules)
            assert.throws(() => sim.ctl('fault', rule), /^Error: ctl fault: /);
    });
});

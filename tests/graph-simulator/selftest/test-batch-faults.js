'use strict';
// Faults on a batch and on the requests inside it: what acts on one answer, and what on the connection of all.

const assert = require('node:assert');
const { describe, it, before, after, beforeEach } = require('node:test');
const { Harness, waitFor } = require('./harness');

const OUTER = { path: '^/v1.0/\\$batch$' };
const LIMIT = 10000;

function invitation(id, more = {}) {
    return {
        id, method: 'POST', url: '/invitations', headers: { 'Content-Type': 'application/json' },
        body: { invitedUserEmailAddress: `${id}@fabrikam.com`, inviteRedirectUrl: 'https://a.example/', ...more },
    };
}

describe('faults in a batch', () => {
    const sim = new Harness();
    before(() => sim.start());
    after(() => sim.stop());
    beforeEach(() => sim.reset());

    const inner = (id) => ({ path: '^/v1.0/invitations$', address: `${id}@fabrikam.com` });
    const fault = (match, action, more = {}) => sim.ctl('fault', { match, action, ...more });
    const requests = ['a', 'b', 'c'].map((id) => invitation(id, { sendInvitationMessage: true }));
    const send = (more = {}) => sim.graph('POST', '/$batch', { requests }, {}, more);
    const statuses = ({ json }) => Object.fromEntries(json.responses.map(({ id, status }) => [id, status]));
    const answerOf = ({ json }, id) => json.responses.find((response) => response.id === id);
    const effects = () => sim.ctl('requests', { batched: true }).map((record) => record.effect).join();
    const records = () => sim.ctl('requests', { batched: true })
        .map(({ effect, answered, status }) => [effect, answered, status]);

    it('a status inside, before and after the effect', async () => {
        fault(inner('a'), { status: 429, retryAfter: '2.128' });
        fault(inner('b'), { status: 503, when: 'after' });
        const answer = await send();
        assert.deepStrictEqual([answer.status, statuses(answer)], [200, { a: 429, b: 503, c: 201 }]);
        assert.strictEqual(answerOf(answer, 'a').headers['Retry-After'], '2.128');
        assert.strictEqual(answerOf(answer, 'b').body.error.code, 'ServiceUnavailable');
        assert.strictEqual(effects(), 'false,true,true');
        const ids = sim.ctl('faults').map(({ id }) => id);
        assert.deepStrictEqual(sim.ctl('requests', { batched: true }).map((record) => record.fault), [...ids, null]);
    });

    it('ghost and replication inside', async () => {
        fault(inner('a'), { ghost: true });
        fault(inner('b'), { replication: { byIdMs: LIMIT } });
        const answer = await send();
        assert.deepStrictEqual(statuses(answer), { a: 201, b: 201, c: 201 });
        const path = (id) => `/users/${answerOf(answer, id).body.invitedUser.id}`;
        const found = async (id) => (await sim.graph('GET', path(id))).status;
        assert.deepStrictEqual([await found('a'), await found('b'), await found('c')], [404, 404, 200]);
        sim.ctl('advance', '11');
        assert.deepStrictEqual([await found('a'), await found('b')], [404, 200]);
    });

    it('body, type and headers of one answer inside', async () => {
        fault(inner('a'), { html: true });
        fault(inner('b'), { body: { id: 7 }, headers: { 'X-Test': 'y' } });
        fault(inner('c'), { empty: true });
        const answer = await send();
        const html = answerOf(answer, 'a');
        assert.match(html.headers['Content-Type'], /html/);
        assert.match(Buffer.from(html.body, 'base64').toString(), /<html>/);
        assert.deepStrictEqual([answerOf(answer, 'b').body, answerOf(answer, 'b').headers['X-Test']], [{ id: 7 }, 'y']);
        assert.strictEqual('body' in answerOf(answer, 'c'), false);
        fault(inner('a'), { body: '{"id":' });
        const broken = answerOf(await send(), 'a');
        assert.strictEqual(Buffer.from(broken.body, 'base64').toString(), '{"id":');
    });

    it('latency and hold of one: the others have their effect, the answer waits', async () => {
        fault(inner('b'), { hold: 'b', when: 'before' });
        const answer = send();
        await waitFor(sim, { batched: true, held: true, count: 1 });
        assert.strictEqual(effects(), 'true,false,true');
        assert.deepStrictEqual(records().map(([, answered]) => answered), [null, null, null]);
        assert.strictEqual(sim.ctl('release', 'b').released, 1);
        assert.deepStrictEqual(statuses(await answer), { a: 201, b: 201, c: 201 });
        fault(inner('a'), { latencyMs: 50 });
        assert.deepStrictEqual(statuses(await send()), { a: 201, b: 201, c: 201 });
    });

    it('what only a connection can suffer is suffered by the whole batch', async () => {
        for (const action of [{ reset: true }, { reset: 'stream' }, { close: true }, { raw: 'no\r\n\r\n' }]) {
            for (const when of ['before', 'after']) {
                sim.ctl('reset', 'ledger');
                sim.ctl('reset', 'users');
                fault(inner('b'), { ...action, when });
                await assert.rejects(send(), JSON.stringify(action));
                await waitFor(sim, { batched: true, over: true, count: 3 });
                assert.deepStrictEqual(records(),
                    [[true, 'no', null], [when === 'after', 'no', null], [true, 'no', null]], JSON.stringify(action));
                assert.strictEqual(sim.ctl('mails').length, when === 'after' ? 3 : 2);
            }
        }
    });

    it('truncate, huge, dribble and stuck of one inside', async () => {
        fault(inner('a'), { truncate: 40 });
        await assert.rejects(send());
        await waitFor(sim, { batched: true, over: true, count: 3 });
        assert.deepStrictEqual(records()[1], [true, 'partly', 201]);
        fault(inner('a'), { huge: 100000 });
        const huge = await send();
        assert.deepStrictEqual([huge.length, statuses(huge)], [100000, { a: 201, b: 201, c: 201 }]);
        fault(inner('a'), { dribble: { bytes: 500, everyMs: 1 } });
        assert.deepStrictEqual(statuses(await send()), { a: 201, b: 201, c: 201 });
        sim.ctl('reset', 'ledger');
        fault(inner('a'), { stuck: true });
        const stuck = send().then(() => 'answered', () => 'failed');
        await waitFor(sim, { batched: true, count: 3 });
        await waitFor(sim, { address: 'c@fabrikam.com', mails: 1 });
        assert.strictEqual(effects(), 'false,true,true');
        sim.ctl('faults-clear');
        assert.strictEqual(await stuck, 'failed');
    });

    it('on the batch before the effect: nothing inside has one', async () => {
        for (const action of [{ status: 503 }, { reset: true }]) {
            sim.ctl('reset', 'ledger');
            fault(OUTER, action);
            await send().then(({ status }) => assert.strictEqual(status, 503), () => {});
            await waitFor(sim, { batched: true, over: true, count: 3 });
            assert.strictEqual(effects(), 'false,false,false');
            assert.deepStrictEqual(sim.ctl('requests', { batched: true }).map(({ status }) => status),
                [null, null, null]);
            assert.strictEqual(sim.ctl('mails').length, 0);
        }
        assert.strictEqual(sim.ledger('a@fabrikam.com').posts.length, 1);
    });

    it('on the batch after the effect: reset, close, status, truncate, html', async () => {
        const actions = [{ reset: true }, { close: true }, { status: 504 }, { truncate: 60 }, { html: true }];
        for (const action of actions) {
            sim.ctl('reset', 'ledger');
            fault(OUTER, { ...action, when: 'after' });
            await send().then(({ status, json }) => assert.ok(status === 504 || !json), () => {});
            await waitFor(sim, { batched: true, over: true, count: 3 });
            assert.strictEqual(effects(), 'true,true,true', JSON.stringify(action));
            assert.strictEqual(sim.ctl('mails').length, 3);
        }
    });

    it('stuck and hold of the batch', async () => {
        fault(OUTER, { hold: 'batch', when: 'before' });
        const answer = send();
        await waitFor(sim, { ...OUTER, held: true, count: 1 });
        assert.strictEqual(effects(), 'false,false,false');
        sim.ctl('release', 'batch');
        assert.deepStrictEqual(statuses(await answer), { a: 201, b: 201, c: 201 });
        fault(OUTER, { stuck: true });
        const stuck = send().then(() => 'answered', () => 'failed');
        await waitFor(sim, { ...OUTER, count: 2 });
        sim.ctl('faults-clear');
        assert.strictEqual(await stuck, 'failed');
    });

    it('a rule counts the requests inside; one for all of Graph meets the batch first', async () => {
        fault({ path: '^/v1.0/invitations$' }, { status: 500 }, { nth: 2, times: 1 });
        const answer = await send();
        assert.deepStrictEqual(Object.values(statuses(answer)).sort(), [201, 201, 500]);
        assert.deepStrictEqual(sim.ctl('faults').map(({ seen, acted }) => [seen, acted]), [[3, 1]]);
        sim.ctl('faults-clear');
        fault({ path: '^/v1.0/' }, { status: 429 });
        assert.strictEqual((await send()).status, 429);
        fault({ path: '^/v1.0/', batched: true }, { status: 429 });
        const throttled = await send();
        assert.deepStrictEqual([throttled.status, Object.values(statuses(throttled)).sort()], [200, [201, 201, 429]]);
        fault({ path: '^/v1.0/', batched: false }, { status: 403 });
        assert.strictEqual((await send()).status, 403);
    });

    it('reset all lets a held one inside end', async () => {
        fault(inner('b'), { hold: 'b' });
        const answer = send().then(() => 'answered', () => 'failed');
        await waitFor(sim, { batched: true, held: true, count: 1 });
        sim.reset();
        assert.strictEqual(await answer, 'failed');
    });
});

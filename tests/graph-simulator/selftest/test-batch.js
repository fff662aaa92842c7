'use strict';
// Contract 4.4: POST /$batch, and what the ledger and the faults make of the requests inside.

const assert = require('node:assert');
const { describe, it, before, after, beforeEach } = require('node:test');
const { Harness } = require('./harness');

const JSON_HEADERS = { 'Content-Type': 'application/json' };
const INNER_POST = { method: 'POST', path: '^/v1.0/invitations$' };

function invitation(id, address, more = {}, headers = {}) {
    return {
        id, method: 'POST', url: '/invitations', headers: { ...JSON_HEADERS, ...headers },
        body: { invitedUserEmailAddress: address, inviteRedirectUrl: 'https://a.example/', ...more },
    };
}

describe('batch (contract 4.4)', () => {
    const sim = new Harness();
    before(() => sim.start());
    after(() => sim.stop());
    beforeEach(() => sim.reset());

    const taylor = 'taylor@fabrikam.com';
    const send = (requests, headers) => sim.graph('POST', '/$batch', { requests }, headers);
    const byId = ({ json }) => new Map(json.responses.map((response) => [response.id, response]));
    const fault = (match, action, more = {}) => sim.ctl('fault', { match, action, ...more });
    const address = (n) => `user${n}@fabrikam.com`;
    const many = (count) => Array.from({ length: count }, (_, n) => invitation(String(n), address(n)));

    /** The numbers of the users in the order in which they were created. */
    async function created() {
        const { json } = await sim.graph('GET', '/users?$select=mail');
        return json.value.map((user) => /\d+/.exec(user.mail)[0]);
    }

    async function refused(answer, part) {
        const { status, json } = await answer;
        assert.deepStrictEqual([status, json.error.code], [400, 'BadRequest']);
        assert.match(json.error.message, part);
        assert.deepStrictEqual(sim.ctl('requests', { batched: true }), []);
    }

    it('200 with one answer each: status, headers, body', async () => {
        const { id } = sim.ctl('user', { kind: 'accepted', address: 'bo@fabrikam.example' });
        const answer = await send([invitation('1', taylor), { id: 'b', method: 'GET',
            url: "users?$select=id,mail&$filter=mail eq 'bo@fabrikam.example'" }]);
        assert.strictEqual(answer.status, 200);
        const { 1: post, b: get } = Object.fromEntries(byId(answer));
        assert.deepStrictEqual([post.status, post.body.invitedUserEmailAddress], [201, taylor]);
        assert.match(post.headers['Content-Type'], /^application\/json/);
        assert.ok(Object.values(post.headers).every((value) => typeof value === 'string'));
        assert.deepStrictEqual([get.status, get.body.value], [200, [{ id, mail: 'bo@fabrikam.example' }]]);
    });

    it('effects and answers come in any order, which is the same in each run', async () => {
        const run = async () => {
            sim.reset();
            const answers = [await send(many(8)), await send(many(8))];
            const orders = answers.map(({ json }) => json.responses.map((response) => response.id).join(''));
            return [...orders, (await created()).join('')];
        };
        const [first, second, effects] = await run();
        assert.deepStrictEqual([...first].sort().join(''), '01234567');
        for (const order of [first, effects])
            assert.notStrictEqual(order, '01234567');
        assert.notStrictEqual(second, first);
        assert.deepStrictEqual(await run(), [first, second, effects]);
    });

    it('20 at most, and one at least', async () => {
        assert.strictEqual((await send(many(20))).json.responses.length, 20);
        sim.ctl('reset', 'ledger');
        await refused(send(many(21)), /exceeds the limit/);
        await refused(send([]), /Invalid batch payload/);
        await refused(send('all'), /Invalid batch payload/);
    });

    it('an id that comes twice, in whatever case, is the end of the whole batch', async () => {
        await refused(send([invitation('aB', taylor), invitation('Ab', address(1))]), /Ab has to be unique in a batch/);
        assert.strictEqual(sim.ledger().counters.guestsCreated, 0);
    });

    it('a write needs Content-Type and body, or the whole batch is refused', async () => {
        const without = (change) => {
            const request = invitation('w', taylor);
            change(request);
            return send([request, invitation('2', address(2))]);
        };
        await refused(without((request) => { delete request.headers; }), /w does not contain Content-Type header/);
        await refused(without((request) => { delete request.body; }), /w does not contain Content-Type header or body/);
        const lower = { ...invitation('1', taylor), headers: { 'content-type': 'application/json' } };
        assert.strictEqual(byId(await send([lower])).get('1').status, 201);
    });

    it('what else makes a batch a bad one', async () => {
        const get = { id: '1', method: 'GET', url: '/users' };
        const bad = [{ id: 1 }, { id: '' }, { method: 'get' }, { url: '' }, { url: `${sim.ready.graphUrl}/v1.0/users` },
            { url: '/$batch', method: 'POST', headers: JSON_HEADERS, body: { requests: [] } },
            { headers: { ConsistencyLevel: 1 } }, { dependsOn: '2' }, { dependsOn: ['2'] }, { dependsOn: ['1'] }];
        for (const change of bad)
            await refused(send([{ ...get, ...change }]), /Invalid batch payload/);
        const ring = [{ ...get, dependsOn: ['2'] }, { ...get, id: '2', dependsOn: ['1'] }];
        await refused(send(ring), /dependsOn/);
        await refused(sim.graph('POST', '/$batch', '{"requests":'), /JSON/);
    });

    it('url: with or without a leading slash, never with the version; # is a fragment', async () => {
        sim.ctl('user', { kind: 'accepted', address: 'bo@fabrikam.example' });
        const get = (id, url) => ({ id, method: 'GET', url });
        const upn = 'bo_fabrikam.example%23EXT%23@contoso.onmicrosoft.com';
        const answers = byId(await send([get('1', '/organization'), get('2', 'organization'), get('3', '/v1.0/users'),
            get('4', `/users/${upn}`), get('5', `/users/${decodeURIComponent(upn)}`)]));
        const statuses = ['1', '2', '3', '4', '5'].map((id) => answers.get(id).status);
        assert.deepStrictEqual(statuses, [200, 200, 400, 200, 404]);
    });

    it('errors inside have Graph\'s body, and the ids of their own request', async () => {
        const headers = { 'client-request-id': 'crid-1' };
        const [response] = (await send([invitation('1', 'a+b@fabrikam.com', {}, headers)])).json.responses;
        const { code, message, innerError } = response.body.error;
        assert.deepStrictEqual([response.status, code, innerError['client-request-id']], [400, 'BadRequest', 'crid-1']);
        assert.match(message, /Primary SMTP Address/);
        const [record] = sim.ctl('requests', { batched: true });
        assert.strictEqual(innerError['request-id'], record.requestId);
    });

    it('error.code is an empty text if told so', async () => {
        sim.set('batchErrorCodes', 'empty');
        const [response] = (await send([invitation('1', 'a+b@fabrikam.com')])).json.responses;
        assert.strictEqual(response.body.error.code, '');
        assert.match(response.body.error.message, /Primary SMTP Address/);
        assert.strictEqual((await sim.invite('a+b@fabrikam.com')).json.error.code, 'BadRequest');
    });

    it('no body at 204; base64 where it is no JSON', async () => {
        await sim.grant('User.ReadWrite.All', 'User.Invite.All');
        const { id } = sim.ctl('user', { kind: 'accepted', address: 'bo@fabrikam.example' });
        const answers = byId(await send([{ id: 'd', method: 'DELETE', url: `/users/${id}` },
            { id: 'h', method: 'GET', url: '/invitations' },
            { id: 'c', method: 'GET', url: '/users/$count', headers: { ConsistencyLevel: 'eventual' } }]));
        assert.deepStrictEqual([answers.get('d').status, 'body' in answers.get('d')], [204, false]);
        const text = (inner) => Buffer.from(answers.get(inner).body, 'base64').toString();
        assert.strictEqual(answers.get('h').status, 404);
        assert.match(text('h'), /^<!DOCTYPE html>/);
        assert.match(text('c'), /^[01]$/);
    });

    it('a body in base64 is what a type other than JSON takes', async () => {
        const request = invitation('1', taylor);
        request.headers['Content-Type'] = 'text/plain';
        request.body = Buffer.from(JSON.stringify(request.body)).toString('base64');
        const [response] = (await send([request])).json.responses;
        assert.strictEqual(response.status, 400);
        assert.match(response.body.error.message, /Content-Type header is set/);
    });

    it('ConsistencyLevel counts inside; nextLink is a whole URL', async () => {
        sim.ctl('seed', { count: 3, kind: 'pending', domain: 'seed.example' });
        const url = '/users?$count=true&$top=1&$filter=userType ne \'Member\'';
        const get = (id, headers) => ({ id, method: 'GET', url, headers });
        const answers = byId(await send([get('1'), get('2', { consistencylevel: 'eventual' })]));
        assert.deepStrictEqual([answers.get('1').status, answers.get('2').status], [400, 200]);
        assert.ok(answers.get('2').body['@odata.nextLink'].startsWith(`${sim.ready.graphUrl}/v1.0/users?`));
    });

    it('one token for all: without it the whole is 401', async () => {
        const headers = { 'content-type': 'application/json' };
        const body = JSON.stringify({ requests: [invitation('1', taylor)] });
        const { status, json } = await sim.http1('POST', `${sim.ready.graphUrl}/v1.0/$batch`, { headers, body });
        assert.deepStrictEqual([status, json.error.code], [401, 'InvalidAuthenticationToken']);
        await sim.grant('User.Read.All');
        const [response] = (await send([invitation('1', taylor)])).json.responses;
        assert.deepStrictEqual([response.status, response.body.error.code], [403, 'Authorization_RequestDenied']);
    });

    it('dependsOn: in that order; 424 for what depends on a failed one', async () => {
        const chain = many(6).map((request, n) => (n === 0 ? request : { ...request, dependsOn: [String(n - 1)] }));
        const answers = byId(await send([...chain].reverse()));
        assert.deepStrictEqual([...answers.values()].map(({ status }) => status), Array(6).fill(201));
        const records = sim.ctl('requests', { batched: true, method: 'POST' });
        assert.deepStrictEqual(records.map((record) => record.inner), ['5', '4', '3', '2', '1', '0']);
        assert.deepStrictEqual(await created(), ['0', '1', '2', '3', '4', '5']);

        sim.ctl('reset', 'ledger');
        fault({ ...INNER_POST, address: address(1) }, { status: 429, retryAfter: 3 });
        const broken = byId(await send(chain));
        const statuses = ['0', '1', '2', '3', '4', '5'].map((id) => broken.get(id).status);
        assert.deepStrictEqual(statuses, [201, 429, 424, 424, 424, 424]);
        assert.ok(broken.get('2').body.error.message);
        const { posts } = sim.ledger(address(2));
        assert.deepStrictEqual(posts.map(({ effect, status }) => [effect, status]), [[false, 424]]);
    });

    it('throttled inside: 429 and Retry-After inside, 200 outside, or 424 by setting (CONFLICT)', async () => {
        sim.set('writeLimit', { writes: 2, seconds: 10 });
        const answer = await send(many(3));
        assert.strictEqual(answer.status, 200);
        const throttled = answer.json.responses.filter(({ status }) => status === 429);
        assert.strictEqual(throttled.length, 1);
        assert.match(throttled[0].headers['Retry-After'], /^\d+\.\d+$/);
        assert.strictEqual(throttled[0].body.error.code, 'TooManyRequests');
        assert.strictEqual(sim.ledger().counters.duringHold, 0);
        sim.set('batchThrottle', '424');
        const conflict = await send(many(1));
        assert.deepStrictEqual([conflict.status, conflict.json.responses[0].status], [424, 429]);
        assert.strictEqual(sim.ledger().counters.duringHold, 2);
        sim.ctl('advance', '10');
        assert.strictEqual((await send(many(1))).status, 200);
    });

    it('a service without $batch: 400 as an unknown segment, or the status of the setting', async () => {
        for (const [setting, wanted, code] of [[false, 400, 'BadRequest'], [404, 404, 'Request_ResourceNotFound'],
            [400, 400, 'Request_BadRequest'], [501, 501, 'NotImplemented']]) {
            sim.set('batch', setting);
            const { status, json } = await send([invitation('1', taylor)]);
            assert.deepStrictEqual([status, json.error.code], [wanted, code]);
        }
        assert.deepStrictEqual(sim.ledger(taylor).posts, []);
        assert.throws(() => sim.set('batch', 200), /400 to 599/);
    });

    it('GET /$batch is no such thing', async () => {
        assert.strictEqual((await sim.graph('GET', '/$batch')).status, 400);
    });

    it('ledger: the batch is one request, and each inside one of its own', async () => {
        const headers = { 'client-request-id': 'crid-1', 'X-Odd': '1' };
        const requests = [invitation('a', taylor, { sendInvitationMessage: true }, headers),
            { id: 'b', method: 'GET', url: `/users?$filter=mail eq '${taylor}'`, dependsOn: ['a'] }];
        await send(requests, { 'client-request-id': 'outer-1' });
        sim.ctl('wait', { path: '/users$', over: true, count: 1 });
        const [outer] = sim.ctl('requests', { path: '^/v1.0/\\$batch$' });
        assert.deepStrictEqual([outer.method, outer.batch, outer.inner, outer.address, outer.clientRequestId],
            ['POST', null, null, null, 'outer-1']);
        const [post, get] = sim.ctl('requests', { batched: true });
        const { method, path, clientRequestId, mail, effect, status, answered, connection, batch, inner } = post;
        assert.deepStrictEqual({ method, path, clientRequestId, mail, effect, status, answered, connection, batch,
            inner }, { method: 'POST', path: '/v1.0/invitations', clientRequestId: 'crid-1', mail: true, effect: true,
            status: 201, answered: 'yes', connection: outer.connection, batch: outer.n, inner: 'a' });
        assert.deepStrictEqual([post.address, post.headers, post.contentType],
            [taylor, 'client-request-id content-type x-odd', 'application/json']);
        assert.deepStrictEqual([get.address, get.query, get.clientRequestId],
            [taylor, `$filter=mail eq '${taylor}'`, null]);
        const entry = sim.ledger(taylor);
        assert.deepStrictEqual([entry.posts.length, entry.mails.length, entry.guests.length], [1, 1, 1]);
        assert.deepStrictEqual([entry.posts[0].batch, entry.posts[0].inner], [outer.n, 'a']);
        const { counters, connections } = sim.ledger();
        assert.deepStrictEqual([counters.batched, counters.mails, counters.requests], [2, 1, 4]);
        assert.deepStrictEqual([counters.maxConcurrency, counters.inProgress], [1, 0]);
        assert.strictEqual(connections.find(({ id }) => id === outer.connection).requests, 1);
    });

    it('mail inside a batch is found by match.mail, counted and waited for', async () => {
        const requests = many(4).map((request, n) => ({ ...request,
            body: { ...request.body, sendInvitationMessage: n % 2 === 0 } }));
        await send(requests);
        assert.strictEqual(sim.ctl('requests', { mail: true, batched: true }).length, 2);
        assert.strictEqual(sim.ctl('mails').length, 2);
        sim.ctl('wait', { mail: true, batched: true, count: 2, answered: true });
    });
});

'use strict';
// Contract 1.6: the managed identity service, of a VM and of the Arc agent.

const assert = require('node:assert');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { describe, it, before, after, beforeEach } = require('node:test');
const { Harness } = require('./harness');

const SYSTEM = '33333333-4444-4555-8666-777777777777';
const OWN = '12121212-3434-4656-8878-909090909090';

describe('managed identity (contract 1.6)', () => {
    const sim = new Harness();
    let keys;
    before(() => {
        sim.start();
        keys = path.join(sim.dir, 'tokens');
        fs.mkdirSync(keys);
    });
    after(() => sim.stop());
    beforeEach(() => sim.reset());

    function get(url, headers) {
        return new Promise((resolve, reject) => {
            http.get(url, { headers, agent: false }, (response) => {
                let body = '';
                response.on('data', (data) => { body += data; });
                response.on('end', () => resolve({
                    status: response.statusCode, headers: response.headers, json: JSON.parse(body),
                }));
            }).on('error', reject);
        });
    }

    function ask(changes = {}, headers = { Metadata: 'true' }) {
        const query = { 'api-version': '2018-02-01', resource: sim.ready.graphUrl, ...changes };
        for (const name of Object.keys(query)) {
            if (query[name] === undefined)
                delete query[name];
        }
        return get(`${sim.ready.identityUrl}?${new URLSearchParams(query)}`, headers);
    }

    const arc = (changes, headers) => ask({ 'api-version': '2020-06-01', ...changes }, headers);

    it('a token with texts for numbers, that works', async () => {
        const { status, json } = await ask();
        assert.strictEqual(status, 200);
        assert.strictEqual(json.expires_in, '3599');
        assert.match(json.expires_on, /^\d+$/);
        assert.strictEqual(json.refresh_token, '');
        assert.strictEqual(json.client_id, SYSTEM);
        sim.token = json.access_token;
        assert.strictEqual((await sim.invite('taylor@fabrikam.com')).status, 201);
    });

    it('the question is read strictly', async () => {
        const bad = async (answer, error) => {
            const { status, json } = await answer;
            assert.deepStrictEqual([status, json.error], [400, error]);
        };
        await bad(ask({}, {}), 'invalid_request');
        await bad(ask({}, { Metadata: 'True' }), 'invalid_request');
        await bad(ask({}, { 'Metadata': 'true', 'X-Forwarded-For': '10.0.0.1' }), 'invalid_request');
        await bad(ask({ 'api-version': undefined }), 'bad_request');
        await bad(ask({ 'api-version': '2017-01-01' }), 'bad_request');
        await bad(ask({ resource: undefined }), 'invalid_resource');
        await bad(ask({ resource: `${sim.ready.graphUrl}/` }), 'invalid_resource');
        await bad(ask({ object_id: 'x' }), 'invalid_request');
        await bad(ask({ client_id: OWN }), 'invalid_request');
    });

    it('which identity', async () => {
        sim.set('identityClientIds', [OWN]);
        assert.strictEqual((await ask({ client_id: OWN })).json.client_id, OWN);
        assert.strictEqual((await ask()).json.client_id, SYSTEM);
        sim.set('identitySystem', null);
        assert.strictEqual((await ask()).json.client_id, OWN);
        sim.set('identityClientIds', [OWN, SYSTEM]);
        assert.strictEqual((await ask()).status, 400);
    });

    it('Arc: a key in a file, good once', async () => {
        sim.set('identity', 'arc');
        sim.set('identityKeys', keys);
        const first = await arc();
        assert.strictEqual(first.status, 401);
        const [, file] = /^Basic realm=(.*)$/.exec(first.headers['www-authenticate']);
        assert.strictEqual(path.dirname(file), keys);
        assert.strictEqual(fs.statSync(file).mode & 0o777, 0o640);
        const headers = { Metadata: 'true', Authorization: `Basic ${fs.readFileSync(file, 'utf8')}` };
        assert.strictEqual((await arc({}, headers)).status, 200);
        assert.strictEqual(fs.existsSync(file), false);
        assert.strictEqual((await arc({}, headers)).status, 401);
        assert.strictEqual((await ask()).status, 400); // a VM's api-version
    });

    it('Arc: an old agent ignores the selector; the realm may be wrong', async () => {
        sim.set('identity', 'arc');
        sim.set('identityKeys', keys);
        sim.set('identityEcho', false);
        const [, file] = /realm=(.*)$/.exec((await arc({ client_id: OWN })).headers['www-authenticate']);
        const headers = { Metadata: 'true', Authorization: `Basic ${fs.readFileSync(file, 'utf8')}` };
        const { status, json } = await arc({ client_id: OWN }, headers);
        assert.deepStrictEqual([status, json.client_id], [200, undefined]);
        sim.set('identityRealm', '/etc/shadow');
        assert.strictEqual((await arc()).headers['www-authenticate'], 'Basic realm=/etc/shadow');
    });

    it('faults act on it, and nothing else is on that port', async () => {
        sim.ctl('fault', { match: { path: '/identity/' }, action: { status: 410 } });
        sim.ctl('fault', { match: { path: '/identity/' }, action: { status: 429, retryAfter: 1 } });
        assert.strictEqual((await ask()).status, 410);
        assert.strictEqual((await ask()).status, 429);
        assert.strictEqual((await ask()).status, 200);
        const other = await sim.http1('GET', `${sim.ready.graphUrl}/metadata/identity/oauth2/token`, {});
        assert.strictEqual(other.status, 404);
        assert.strictEqual(sim.ctl('requests', { path: '/identity/' }).filter((one) => one.status === 200).length, 1);
    });
});

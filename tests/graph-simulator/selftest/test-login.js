'use strict';
// Contract 1: tokens and OpenID metadata.

const assert = require('node:assert');
const { describe, it, before, after, beforeEach } = require('node:test');
const { Harness } = require('./harness');

describe('login (contract 1)', () => {
    const sim = new Harness();
    before(() => sim.start());
    after(() => sim.stop());
    beforeEach(() => sim.reset());

    async function refused(answer, status, error, code) {
        const { status: got, json } = await answer;
        assert.strictEqual(got, status);
        assert.strictEqual(json.error, error);
        assert.deepStrictEqual(json.error_codes, [code]);
        const lines = json.error_description.split('\r\n');
        assert.deepStrictEqual(lines.map((line) => line.split(':')[0]),
            [`AADSTS${code}`, 'Trace ID', 'Correlation ID', 'Timestamp']);
    }

    it('1.1: gives a bearer token for a secret, expires_in as a number, no refresh token', async () => {
        const { status, json } = await sim.askToken();
        assert.strictEqual(status, 200);
        assert.strictEqual(json.token_type, 'Bearer');
        assert.strictEqual(json.expires_in, 3599);
        assert.strictEqual(json.access_token.split('.').length, 3);
        assert.strictEqual(json.refresh_token, undefined);
    });

    it('1.1: the tenant may be named by GUID or domain', async () => {
        assert.strictEqual((await sim.askToken(undefined, sim.ready.tenantId)).status, 200);
        assert.strictEqual((await sim.askToken(undefined, 'Contoso.Example')).status, 200);
    });

    it('1.1: HTTP Basic is accepted for id and secret', async () => {
        const basic = Buffer.from(`${sim.ready.clientId}:${sim.secret}`).toString('base64');
        const form = sim.goodForm({ client_id: undefined, client_secret: undefined });
        assert.strictEqual((await sim.askToken(form, undefined, { authorization: `Basic ${basic}` })).status, 200);
    });

    it('1.1: the roles claim has what is granted at the time, none at all if nothing is', async () => {
        const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
        const first = await sim.newToken();
        assert.deepStrictEqual(claims(first).roles, ['User.Invite.All', 'User.Read.All', 'Organization.Read.All']);
        await sim.grant();
        assert.strictEqual(claims(sim.token).roles, undefined);
        assert.strictEqual((await sim.invite('a@fabrikam.com')).json.error.code, 'Authorization_RequestDenied');
        sim.token = first;
        assert.strictEqual((await sim.invite('a@fabrikam.com')).status, 201);
    });

    it('1.7: wrong and expired secret', async () => {
        await refused(sim.askToken(sim.goodForm({ client_secret: 'wrong' })), 401, 'invalid_client', 7000215);
        sim.set('secretExpired', true);
        await refused(sim.askToken(), 401, 'invalid_client', 7000222);
        sim.set('secretExpired', false);
        sim.set('secret', 'another');
        await refused(sim.askToken(), 401, 'invalid_client', 7000215);
        assert.strictEqual((await sim.askToken(sim.goodForm({ client_secret: 'another' }))).status, 200);
    });

    it('0: the login of another cloud gives tokens for that cloud\'s Graph root only', async () => {
        await sim.set('graphRoot', 'https://graph.microsoft.us');
        const own = sim.goodForm({ scope: 'https://graph.microsoft.us/.default' });
        assert.strictEqual((await sim.askToken(own)).status, 200);
        await refused(sim.askToken(), 400, 'invalid_resource', 500011);
    });

    it('1.7: no secret, unknown client, unknown tenant, missing fields, bad scope, two resources', async () => {
        const refusal = (changes, tenant) => sim.askToken(sim.goodForm(changes), tenant);
        await refused(refusal({ client_secret: undefined }), 401, 'invalid_client', 7000218);
        await refused(refusal({ client_id: sim.ready.tenantId }), 400, 'unauthorized_client', 700016);
        await refused(refusal({}, 'unknown.example'), 400, 'invalid_request', 90002);
        for (const field of ['client_id', 'grant_type', 'scope'])
            await refused(refusal({ [field]: undefined }), 400, 'invalid_request', 900144);
        await refused(refusal({ scope: 'User.Read' }), 400, 'invalid_scope', 70011);
        const own = `${sim.ready.graphUrl}/.default`;
        await refused(refusal({ scope: `${own} https://other.example/.default` }), 400, 'invalid_scope', 70011);
        await refused(refusal({ scope: 'https://graph.microsoft.us/.default' }), 400, 'invalid_resource', 500011);
        await refused(refusal({ grant_type: 'password' }), 400, 'unsupported_grant_type', 70003);
        await refused(refusal({}, 'common'), 400, 'invalid_request', 9001023);
    });

    it('1.7: a form in another content type has no fields', async () => {
        const answer = sim.askToken(undefined, undefined, { 'content-type': 'application/json' });
        await refused(answer, 400, 'invalid_request', 900144);
    });

    it('1.7: a transient error on order', async () => {
        sim.ctl('fault', { match: { path: '/token$' }, action: { aadsts: 90033 } });
        await refused(sim.askToken(), 503, 'temporarily_unavailable', 90033);
        assert.strictEqual((await sim.askToken()).status, 200);
    });

    it('1.8: a token expires by the simulator\'s clock, 401 InvalidAuthenticationToken', async () => {
        sim.set('tokenExpiresIn', 600);
        await sim.newToken();
        assert.strictEqual((await sim.graph('GET', '/users')).status, 200);
        sim.ctl('advance', '601');
        const { status, json, headers } = await sim.graph('GET', '/users');
        assert.strictEqual(status, 401);
        assert.strictEqual(json.error.code, 'InvalidAuthenticationToken');
        assert.match(headers['www-authenticate'], /^Bearer /);
    });

    it('6: no token, an unknown one, one expired on order: 401', async () => {
        const users = `${sim.ready.graphUrl}/v1.0/users`;
        assert.strictEqual((await sim.http1('GET', users)).status, 401);
        assert.strictEqual((await sim.http1('GET', users, { headers: { authorization: 'Bearer a.b.c' } })).status, 401);
        await sim.newToken();
        sim.ctl('expire-tokens');
        const { status, json } = await sim.graph('GET', '/users');
        assert.deepStrictEqual([status, json.error.code], [401, 'InvalidAuthenticationToken']);
    });

    it('OpenID metadata: the issuer has the tenant\'s GUID; unknown tenant 400 AADSTS90002', async () => {
        const path = 'v2.0/.well-known/openid-configuration';
        const ask = (tenant) => sim.http1('GET', `${sim.ready.loginUrl}/${tenant}/${path}`);
        const { status, json } = await ask(sim.ready.tenant);
        assert.strictEqual(status, 200);
        assert.strictEqual(json.issuer, `${sim.ready.loginUrl}/${sim.ready.tenantId}/v2.0`);
        assert.strictEqual(json.token_endpoint, `${sim.ready.loginUrl}/${sim.ready.tenantId}/oauth2/v2.0/token`);
        await refused(ask('unknown.example'), 400, 'invalid_tenant', 90002);
    });
});

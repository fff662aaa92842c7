'use strict';
// Contract 1.4, 1.5: a person signs in with a device code; refresh tokens.

const assert = require('node:assert');
const { describe, it, before, after, beforeEach } = require('node:test');
const { Harness } = require('./harness');

const taylor = 'taylor@fabrikam.com';
const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

function claimsOf(token) {
    return JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
}

describe('a person signs in (contract 1.4, 1.5)', () => {
    const sim = new Harness();
    before(() => sim.start());
    after(() => sim.stop());
    beforeEach(() => {
        sim.reset();
        sim.set('deviceInterval', 0);
    });

    const scope = (...names) => names.map((name) => `${sim.ready.graphUrl}/${name}`).join(' ');
    const usual = () => `${scope('User.Invite.All', 'User.Read.All')} offline_access openid profile`;

    function post(what, fields, tenant = sim.ready.tenant) {
        const body = sim.form({ client_id: sim.ready.clientId, ...fields });
        return sim.http1('POST', `${sim.ready.loginUrl}/${tenant}/oauth2/v2.0/${what}`,
            { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body });
    }

    const begin = async (text = usual()) => (await post('devicecode', { scope: text })).json;
    const poll = (code, more = {}) => post('token', { grant_type: DEVICE_GRANT, device_code: code.device_code, ...more });
    const refresh = (token, more = {}) => post('token', { grant_type: 'refresh_token', refresh_token: token, ...more });

    async function signIn(text) {
        const code = await begin(text);
        sim.ctl('approve', code.user_code);
        return (await poll(code)).json;
    }

    async function refused(answer, error, number) {
        const { status, json } = await answer;
        assert.deepStrictEqual([status, json.error, json.error_codes], [400, error, [number]]);
    }

    it('1.4: a code, where to enter it, for how long, how often to ask', async () => {
        sim.set('deviceInterval', 5);
        const { status, json } = await post('devicecode', { scope: usual() });
        assert.strictEqual(status, 200);
        assert.match(json.user_code, /^[B-Z]{9}$/);
        assert.deepStrictEqual([json.expires_in, json.interval], [900, 5]);
        assert.match(json.verification_uri, /^https:/);
        assert.strictEqual(json.verification_uri_complete, undefined);
        assert.ok(json.message.includes(json.user_code));
        sim.set('deviceNumbers', 'text');
        sim.set('deviceComplete', true);
        const other = await begin();
        assert.deepStrictEqual([other.expires_in, other.interval], ['900', '5']);
        assert.ok(other.verification_uri_complete.includes(other.user_code));
        sim.set('deviceNumbers', 'absent');
        assert.strictEqual((await begin()).interval, undefined);
    });

    it('1.4: pending, then the tokens of the person, once', async () => {
        const code = await begin();
        await refused(poll(code), 'authorization_pending', 70016);
        sim.ctl('user', { kind: 'member', address: 'kim@contoso.example' });
        sim.ctl('approve', code.user_code.toLowerCase(), '--user', `kim@${sim.ready.tenant}`);
        const { status, json } = await poll(code);
        assert.strictEqual(status, 200);
        const access = claimsOf(json.access_token);
        assert.deepStrictEqual([access.scp, access.roles, access.idtyp],
            ['User.Invite.All User.Read.All', undefined, 'user']);
        const id = claimsOf(json.id_token);
        assert.deepStrictEqual([id.preferred_username, id.tid, id.aud, id.oid],
            [`kim@${sim.ready.tenant}`, sim.ready.tenantId, sim.ready.clientId, access.oid]);
        assert.ok(json.refresh_token);
        await refused(poll(code), 'bad_verification_code', 70018);
    });

    it('1.4: offline_access for a refresh token, openid for an id_token', async () => {
        const json = await signIn(scope('User.Invite.All'));
        assert.deepStrictEqual([json.refresh_token, json.id_token], [undefined, undefined]);
        assert.ok(json.access_token);
    });

    it('1.4, RFC 8628 3.5: too soon is slow_down, and makes the interval longer', async () => {
        sim.set('deviceInterval', 5);
        const code = await begin();
        await refused(poll(code), 'slow_down', 70016);
        sim.ctl('advance', '9');
        await refused(poll(code), 'slow_down', 70016);
        sim.ctl('advance', '15');
        await refused(poll(code), 'authorization_pending', 70016);
    });

    it('1.4: declined, expired, unknown', async () => {
        const declined = await begin();
        sim.ctl('decline', declined.user_code);
        await refused(poll(declined), 'authorization_declined', 70017);
        const expired = await begin();
        sim.ctl('advance', '901');
        await refused(poll(expired), 'expired_token', 70019);
        assert.throws(() => sim.ctl('approve', expired.user_code), /expired/);
        await refused(poll({ device_code: 'none' }), 'bad_verification_code', 70018);
        assert.throws(() => sim.ctl('approve', 'NOSUCHONE'), /no sign-in waits/);
    });

    it('1.1, 1.7: wrong scopes, missing fields, unknown app and tenant', async () => {
        const ask = (text) => post('devicecode', { scope: text });
        await refused(ask(`${scope('User.Invite.All')} https://graph.microsoft.us/User.Read.All`), 'invalid_resource',
            500011);
        await refused(ask(`${scope('User.Invite.All')} ${'https://127.0.0.1'}:${sim.ready.port}/User.Read.All`),
            'invalid_request', 700022);
        await refused(ask(`${scope('.default')} ${scope('User.Read.All')}`), 'invalid_scope', 70011);
        await refused(ask('no/scope'), 'invalid_scope', 70011);
        await refused(post('devicecode', {}), 'invalid_request', 900144);
        await refused(post('devicecode', { scope: usual(), client_id: sim.ready.tenantId }), 'unauthorized_client',
            700016);
        await refused(post('devicecode', { scope: usual() }, 'unknown.example'), 'invalid_request', 90002);
        assert.strictEqual((await post('devicecode', { scope: usual() }, 'organizations')).status, 200);
    });

    it('1.7: a public client sends no secret, another one must', async () => {
        const code = await begin();
        sim.ctl('approve', code.user_code);
        const answer = await poll(code, { client_secret: sim.secret });
        assert.deepStrictEqual([answer.status, answer.json.error_codes], [401, [700025]]);
        sim.set('publicClient', false);
        const other = await poll(code);
        assert.deepStrictEqual([other.status, other.json.error_codes], [401, [7000218]]);
        assert.strictEqual((await poll(code, { client_secret: sim.secret })).status, 200);
    });

    it('nobody signs in without consent, or to an account that is disabled or unknown', async () => {
        const code = await begin(`${scope('User.Invite.All', 'Group.ReadWrite.All')} openid`);
        assert.throws(() => sim.ctl('approve', code.user_code), /needs admin approval.*Group\.ReadWrite\.All/);
        const other = await begin();
        assert.throws(() => sim.ctl('approve', other.user_code, '--user', 'nobody@contoso.example'), /no user/);
        sim.ctl('user', { kind: 'member', address: 'kim@contoso.example', enabled: false });
        assert.throws(() => sim.ctl('approve', other.user_code, '--user', `kim@${sim.ready.tenant}`), /disabled/);
    });

    it('1.5: each use gives a new refresh token, and the old one stays good', async () => {
        const first = (await signIn()).refresh_token;
        const { json } = await refresh(first, { scope: usual() });
        assert.notStrictEqual(json.refresh_token, first);
        assert.strictEqual(claimsOf(json.access_token).scp, 'User.Invite.All User.Read.All');
        assert.strictEqual((await refresh(first)).status, 200);
        assert.strictEqual((await refresh(json.refresh_token)).status, 200);
        assert.strictEqual(sim.ledger().counters.refreshTokensIssued, 4);
        const grants = sim.ctl('requests', { path: '/token$' }).map(({ grant }) => grant);
        assert.deepStrictEqual(grants, ['device_code', 'refresh_token', 'refresh_token', 'refresh_token']);
        assert.strictEqual(sim.ctl('requests', { grant: 'refresh_token' }).length, 3);
    });

    it('1.5: services that give no new one, or revoke the old one', async () => {
        const first = (await signIn()).refresh_token;
        sim.set('refreshRotation', 'none');
        assert.strictEqual((await refresh(first)).json.refresh_token, undefined);
        sim.set('refreshRotation', 'revoke');
        const { json } = await refresh(first);
        await refused(refresh(first), 'invalid_grant', 70000);
        assert.strictEqual((await refresh(json.refresh_token)).status, 200);
    });

    it('1.5: 90 days without use, revoked, disabled, deleted, no consent any more', async () => {
        const { refresh_token: old } = await signIn();
        sim.ctl('advance', String(90 * 24 * 3600 + 1));
        await refused(refresh(old), 'invalid_grant', 700082);
        const { refresh_token: token } = await signIn();
        sim.set('consented', ['User.Invite.All']);
        await refused(refresh(token), 'invalid_grant', 65001);
        sim.set('consented', ['User.Invite.All', 'User.Read.All']);
        sim.ctl('user', { find: `operator@${sim.ready.tenant}`, enabled: false });
        await refused(refresh(token), 'invalid_grant', 50057);
        sim.ctl('user', { find: `operator@${sim.ready.tenant}`, enabled: true });
        for (const [number, error] of [[50173, 'invalid_grant'], [70043, 'invalid_grant'],
            [50076, 'interaction_required'], [50079, 'interaction_required']]) {
            sim.ctl('revoke', String(number));
            await refused(refresh(token), error, number);
        }
        assert.strictEqual((await refresh((await signIn()).refresh_token)).status, 200);
        sim.ctl('user', { find: `operator@${sim.ready.tenant}`, delete: 'soft' });
        sim.ctl('revoke');
        await refused(refresh(token), 'invalid_grant', 50173);
    });

    it('2.1, 2.3: a person invites by delegated permissions, and the mail has the custom body', async () => {
        sim.token = (await signIn()).access_token;
        const info = { customizedMessageBody: 'Welcome' };
        const { status } = await sim.invite(taylor, { sendInvitationMessage: true, invitedUserMessageInfo: info });
        assert.strictEqual(status, 201);
        assert.strictEqual(sim.ctl('mails', taylor)[0].body, 'Welcome');
        assert.strictEqual((await sim.graph('GET', '/users?$top=1')).status, 200);
        assert.strictEqual((await sim.graph('DELETE', `/users/${taylor}`)).status, 403);
        assert.strictEqual((await sim.graph('GET', '/organization')).status, 403);
        sim.set('consented', ['User.Read', 'User.Invite.All', 'User.Read.All']);
        sim.token = (await signIn(scope('User.Read'))).access_token;
        assert.strictEqual((await sim.graph('GET', '/organization')).status, 200);
        assert.strictEqual((await sim.invite('kim@fabrikam.com')).status, 403);
    });

    it('2.1: who may invite is the tenant\'s policy, too', async () => {
        sim.token = (await signIn()).access_token;
        sim.set('allowInvitesFrom', 'adminsAndGuestInviters');
        assert.strictEqual((await sim.invite(taylor)).status, 403);
        sim.set('personRoles', ['Guest Inviter']);
        assert.strictEqual((await sim.invite(taylor)).status, 201);
        sim.set('personRoles', []);
        sim.set('allowInvitesFrom', 'adminsGuestInvitersAndAllMembers');
        assert.strictEqual((await sim.invite('kim@fabrikam.com')).status, 201);
    });

    it('a fault may answer slow_down, or any other word of OAuth', async () => {
        const code = await begin();
        sim.ctl('fault', { match: { grant: 'device_code' }, action: { aadsts: 70016, error: 'slow_down' } });
        await refused(poll(code), 'slow_down', 70016);
        await refused(poll(code), 'authorization_pending', 70016);
    });

    it('nothing secret in log and ledger', async () => {
        const code = await begin();
        sim.ctl('approve', code.user_code);
        const { refresh_token: token } = (await poll(code)).json;
        await refresh(token);
        const shown = require('node:fs').readFileSync(sim.ready.log, 'utf8') + JSON.stringify(sim.ledger());
        for (const secret of [token, code.device_code])
            assert.ok(!shown.includes(secret));
    });
});

'use strict';
// The simulator's answers, and what clients in this tree send, against the description of Graph's API that lies beside
// the repository; without it these tests are skipped.

const assert = require('node:assert');
const path = require('node:path');
const { describe, it, before, after, beforeEach } = require('node:test');
const { readDescription, MISSING } = require('../openapi/description');
const { recordedBodies } = require('../openapi/recorded-bodies');
const { Harness } = require('./harness');

const description = readDescription();
const options = description ? {} : { skip: MISSING };
const UNIT_TESTS = path.join(__dirname, '../../unit');
const STATE = '$select=id,externalUserState,externalUserStateChangeDateTime';
const EVENTUAL = { ConsistencyLevel: 'eventual' };
const WRITING = ['User.Invite.All', 'User.ReadWrite.All', 'Organization.Read.All', 'Domain.Read.All'];

describe('against the description of Graph', () => {
    const sim = new Harness();
    before(() => sim.start());
    after(() => sim.stop());
    beforeEach(() => sim.reset());

    const taylor = 'taylor@fabrikam.com';
    const cc = [{ emailAddress: { name: 'Lead', address: 'lead@contoso.example' } }];

    function checkAnswer(method, pathAndQuery, { status, json, body }) {
        const pathUnderRoot = pathAndQuery.split('?')[0];
        assert.ok(json !== undefined || body === '', `${method} ${pathAndQuery}: no JSON`);
        assert.deepStrictEqual(description.checkAnswer({ method, path: pathUnderRoot, status, body: json }), [],
            `${method} ${pathAndQuery}`);
    }

    /** One exchange; the request is checked as well, unless it is meant to be a bad one. */
    async function exchange(method, pathAndQuery, wanted, body, { headers, isBad } = {}) {
        const answer = await sim.graph(method, pathAndQuery, body, headers);
        assert.strictEqual(answer.status, wanted, `${method} ${pathAndQuery}: ${answer.body}`);
        checkAnswer(method, pathAndQuery, answer);
        const [pathUnderRoot, query = ''] = pathAndQuery.split('?');
        if (!isBad)
            assert.deepStrictEqual(description.checkRequest({ method, path: pathUnderRoot,
                query: new Map(new URLSearchParams(query)), body }), [], `${method} ${pathAndQuery}`);
        return answer.json;
    }

    const invite = (body, wanted = 201, more = {}) => exchange('POST', '/invitations', wanted,
        { inviteRedirectUrl: 'https://a.example/', ...body }, more);
    const underRoot = (link) => link.slice(`${sim.ready.graphUrl}/v1.0`.length);

    it('invitations: new, again, with mail, reset, sponsors', options, async () => {
        await sim.grant(...WRITING);
        const { invitedUser } = await invite({ invitedUserEmailAddress: taylor });
        await invite({ invitedUserEmailAddress: taylor, invitedUserDisplayName: 'T', sendInvitationMessage: true,
            invitedUserType: 'Guest',
            invitedUserMessageInfo: { customizedMessageBody: 'Hello', messageLanguage: 'nl-BE', ccRecipients: cc } });
        sim.ctl('redeem', taylor);
        await invite({ invitedUserEmailAddress: taylor });
        await invite({ invitedUserEmailAddress: taylor, resetRedemption: true, invitedUser: { id: invitedUser.id } });
        const sponsor = `${sim.ready.graphUrl}/v1.0/users/${invitedUser.id}`;
        await invite({ 'invitedUserEmailAddress': 'b@fabrikam.com', 'invitedUserSponsors@odata.bind': [sponsor] });
    });

    it('errors: every status has Graph\'s body', options, async () => {
        const isBad = { isBad: true };
        await invite({ invitedUserEmailAddress: 'a+b@fabrikam.com' }, 400);
        await invite({ invitedUserEmailAddress: taylor, givenName: 'T' }, 400, isBad);
        await exchange('GET', '/users/00000000-0000-4000-8000-000000000000', 404);
        await exchange('GET', '/users?$filter=mail%20eq%20\'a', 400, undefined, isBad);
        await exchange('GET', '/users?$select=nickname', 400, undefined, isBad);
        await exchange('GET', '/users?$select=skills', 501, undefined);
        for (const status of [429, 500, 502, 503, 504, 409, 418]) {
            sim.ctl('fault', { match: { path: '/users$' }, action: { status } });
            await exchange('GET', '/users', status);
        }
        await sim.grant();
        await invite({ invitedUserEmailAddress: taylor }, 403);
        sim.ctl('expire-tokens');
        await exchange('GET', '/organization', 401);
    });

    it('users: lists, pages, counts, filters, one of every kind', options, async () => {
        const kinds = ['member', 'pending', 'accepted', 'self-service', 'email-verified', 'external-member',
            'internal-guest'];
        const ids = kinds.map((kind) => sim.ctl('user', { kind, address: `${kind}@corp.example` }).id);
        const all = `${STATE},displayName,mail,userPrincipalName,userType,accountEnabled,creationType,createdDateTime,`
            + 'otherMails,proxyAddresses,identities,showInAddressList,businessPhones,deletedDateTime,signInActivity';
        for (const id of ids) {
            await exchange('GET', `/users/${id}`, 200);
            await exchange('GET', `/users/${id}?${all}`, 200);
        }
        let { '@odata.nextLink': link } = await exchange('GET', `/users?${all}&$top=3`, 200);
        while (link)
            ({ '@odata.nextLink': link } = await exchange('GET', underRoot(link), 200));
        const eventual = { headers: EVENTUAL };
        await exchange('GET', '/users?$count=true&$filter=userType%20ne%20\'Guest\'', 200, undefined, eventual);
        const a = 'pending@corp.example';
        for (const filter of [`userPrincipalName eq '${a}' or mail eq '${a}' or otherMails/any(x:x eq '${a}')`
            + ` or proxyAddresses/any(x:x eq 'SMTP:${a}')`,
        `identities/any(i:i/issuerAssignedId eq '${a}' and i/issuer eq 'mail')`])
            await exchange('GET', `/users?${STATE}&$filter=${encodeURIComponent(filter)}`, 200);
    });

    it('delta: first round, changes, removed, gone', options, async () => {
        sim.ctl('seed', { count: 5, kind: 'accepted', domain: 'seed.example' });
        sim.set('pageSize', 2);
        let json = await exchange('GET', `/users/delta?${STATE},otherMails`, 200);
        while (json['@odata.nextLink'])
            json = await exchange('GET', underRoot(json['@odata.nextLink']), 200);
        sim.ctl('user', { find: 'user0@seed.example', delete: 'soft' });
        sim.ctl('user', { find: 'user1@seed.example', state: 'PendingAcceptance' });
        const changes = underRoot(json['@odata.deltaLink']);
        assert.strictEqual((await exchange('GET', changes, 200)).value.length, 2);
        await exchange('GET', '/users/delta?$deltatoken=unheard-of', 410);
    });

    it('change, delete, restore', options, async () => {
        await sim.grant(...WRITING);
        const { id } = sim.ctl('user', { kind: 'accepted', address: taylor });
        await exchange('PATCH', `/users/${id}`, 204, { accountEnabled: false });
        await exchange('DELETE', `/users/${id}`, 204);
        await exchange('POST', `/directory/deletedItems/${id}/restore`, 200);
    });

    it('the tenant: organization and domains', options, async () => {
        await sim.grant(...WRITING);
        await exchange('GET', '/organization?$select=id,verifiedDomains', 200);
        await exchange('GET', '/organization', 200);
        await exchange('GET', '/domains?$select=id,isVerified', 200);
        await exchange('GET', '/domains', 200);
    });

    it('batch: as a whole, and each answer inside by its own operation', options, async () => {
        const headers = { 'Content-Type': 'application/json' };
        const body = { invitedUserEmailAddress: taylor, inviteRedirectUrl: 'https://a.example/' };
        const requests = [{ id: '1', method: 'POST', url: '/invitations', headers, body },
            { id: '2', method: 'GET', url: `/users?${STATE}`, dependsOn: ['1'] },
            { id: '3', method: 'POST', url: '/invitations', headers, body: { ...body, invitedUserEmailAddress: 'a' } },
            { id: '4', method: 'GET', url: '/organization', dependsOn: ['3'] }];
        const { responses } = await exchange('POST', '/$batch', 200, { requests });
        assert.deepStrictEqual(responses.map(({ status }) => status).sort(), [200, 201, 400, 424]);
        for (const response of responses) {
            const { method, url } = requests.find(({ id }) => id === response.id);
            checkAnswer(method, url, { status: response.status, json: response.body });
        }
        await exchange('POST', '/$batch', 400, { requests: [] }, { isBad: true });
    });

    it('the checks notice a wrong answer and a wrong body', options, () => {
        const post = { method: 'POST', path: '/invitations' };
        const wrongAnswer = (body) => description.checkAnswer({ ...post, status: 201, body });
        const wrongBody = (body) => description.checkRequest({ ...post, body });
        assert.ok(wrongAnswer({ id: 7 }).length > 0);
        assert.ok(wrongAnswer({ invitedUser: { id: 'x', nickname: 'T' } }).length > 0);
        assert.ok(wrongAnswer({ invitedUserMessageInfo: { ccRecipients: [{ address: 'a@b.example' }] } }).length > 0);
        assert.ok(wrongBody({ invitedUserEmailAddress: taylor }).length > 0);
        const whole = { invitedUserEmailAddress: taylor, inviteRedirectUrl: 'https://a.example/' };
        assert.deepStrictEqual(wrongBody(whole), []);
        assert.ok(wrongBody({ ...whole, sendInvitationMessage: 'true' }).length > 0);
        assert.ok(wrongBody({ ...whole, invitedUserMessageInfo: { body: 'Hello' } }).length > 0);
    });

    it('the bodies that the C tests expect', options, () => {
        const bodies = recordedBodies(UNIT_TESTS, '{"invitedUserEmailAddress"');
        assert.ok(bodies.length >= 4);
        for (const { file, text } of bodies)
            assert.deepStrictEqual(description.checkRequest({ method: 'POST', path: '/invitations',
                body: JSON.parse(text) }), [], `${file}: ${text}`);
    });
});

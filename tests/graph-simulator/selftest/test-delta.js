'use strict';
// Contract 4.3: GET /users/delta.

const assert = require('node:assert');
const { describe, it, before, after, beforeEach } = require('node:test');
const { Changes } = require('../engine/changes');
const { Harness } = require('./harness');

const DAY = 24 * 3600;
const STATE = '$select=id,externalUserState,externalUserStateChangeDateTime';

describe('delta (contract 4.3)', () => {
    const sim = new Harness();
    before(() => sim.start());
    after(() => sim.stop());
    beforeEach(() => sim.reset());

    const taylor = 'taylor@fabrikam.com';
    const kim = 'kim@fabrikam.com';
    const add = (address, kind = 'pending', more = {}) => sim.ctl('user', { kind, address, ...more }).id;
    const change = (id, what) => sim.ctl('user', { find: id, ...what });
    const first = (query = STATE) => sim.graph('GET', `/users/delta?${query}`);
    const get = (link, headers = {}) => {
        assert.ok(link.startsWith(`${sim.ready.graphUrl}/v1.0/users/delta?$`), link);
        return sim.graph('GET', link.slice(`${sim.ready.graphUrl}/v1.0`.length), undefined, headers);
    };
    const byId = (objects) => Object.fromEntries(objects.map((object) => [object.id, object]));

    /** Every page of a round, from its first answer on. */
    async function round(answer) {
        const pages = [];
        for (;;) {
            const { status, json } = await answer;
            assert.strictEqual(status, 200, JSON.stringify(json));
            pages.push(json.value);
            const isLast = json['@odata.nextLink'] === undefined;
            assert.strictEqual(json['@odata.deltaLink'] !== undefined, isLast);
            if (isLast)
                return { pages, objects: pages.flat(), link: json['@odata.deltaLink'] };
            answer = get(json['@odata.nextLink']);
        }
    }

    const next = (link, headers) => round(get(link, headers));

    async function refused(answer, status, code) {
        const { status: got, json } = await answer;
        assert.deepStrictEqual([got, json.error.code], [status, code]);
    }

    it('a first round of everybody, then only what changed', async () => {
        const [a, b] = [add(taylor), add(kim)];
        const { objects, link } = await round(first());
        assert.deepStrictEqual(objects.map((object) => object.id).sort(), [a, b].sort());
        assert.deepStrictEqual(Object.keys(objects[0]), ['id', 'externalUserState', 'externalUserStateChangeDateTime']);
        const quiet = await next(link);
        assert.deepStrictEqual(quiet.objects, []);
        sim.ctl('redeem', taylor);
        const loud = await next(quiet.link);
        assert.deepStrictEqual(loud.objects.map(({ id, externalUserState }) => [id, externalUserState]),
            [[a, 'Accepted']]);
        const again = await next(quiet.link);
        assert.deepStrictEqual(again.objects, loud.objects);
        assert.deepStrictEqual((await next(loud.link)).objects, []);
    });

    it('a guest invited since is told of, with what was selected only', async () => {
        const { link } = await round(first());
        const { id } = (await sim.invite(taylor)).json.invitedUser;
        const { objects } = await next(link);
        assert.deepStrictEqual(objects.map((object) => object.id), [id]);
        assert.strictEqual(objects[0].externalUserState, 'PendingAcceptance');
        assert.strictEqual(objects[0].mail, undefined);
    });

    it('$select rules what counts as a change; id always comes; by default the eleven', async () => {
        const id = add(taylor);
        const selected = await round(first('$select=mail'));
        assert.deepStrictEqual(selected.objects, [{ id, mail: taylor }]);
        const plain = await round(first(''));
        const members = Object.keys(plain.objects[0]).sort();
        assert.deepStrictEqual(members, ['displayName', 'id', 'mail', 'userPrincipalName']);
        change(id, { set: { displayName: 'Taylor' } });
        assert.deepStrictEqual((await next(selected.link)).objects, []);
        assert.strictEqual((await next(plain.link)).objects[0].displayName, 'Taylor');
        change(id, { set: { displayName: 'Taylor' } });
        assert.deepStrictEqual((await next((await next(plain.link)).link)).objects, []);
    });

    it('members that never had a value are absent; one that lost it is null', async () => {
        const id = add(taylor, 'member');
        const query = '$select=id,externalUserState,otherMails,city,mail';
        const { objects, link } = await round(first(query));
        assert.deepStrictEqual(objects, [{ id, mail: taylor }]);
        change(id, { set: { city: 'Delft' } });
        const set = await next(link);
        assert.deepStrictEqual(set.objects, [{ id, city: 'Delft', mail: taylor }]);
        change(id, { set: { city: null } });
        assert.deepStrictEqual((await next(set.link)).objects, [{ id, city: null, mail: taylor }]);
        change(id, { absent: ['mail'], set: { city: 'Gouda' } });
        assert.deepStrictEqual((await next(set.link)).objects, [{ id, city: 'Gouda' }]);
    });

    it('Prefer: return=minimal: only what changed, on all pages; whoever is new comes whole', async () => {
        const ids = [taylor, kim, 'robin@fabrikam.com'].map((address) => add(address));
        const { link } = await round(first('$select=id,mail,displayName,accountEnabled'));
        for (const id of ids)
            change(id, { enabled: false });
        const fresh = add('sasha@fabrikam.com');
        sim.set('pageSize', 2);
        const headers = { Prefer: 'return=minimal' };
        const { objects, pages } = await next(link, headers);
        assert.strictEqual(pages.length, 2);
        const found = byId(objects);
        for (const id of ids)
            assert.deepStrictEqual(found[id], { id, accountEnabled: false });
        assert.strictEqual(found[fresh].mail, 'sasha@fabrikam.com');
        assert.strictEqual((await get(link, headers)).headers['preference-applied'], 'return=minimal');
        assert.strictEqual((await next(link)).objects.find(({ id }) => id === ids[0]).mail, taylor);
    });

    it('removed: changed can be restored, deleted can not; restored is there again', async () => {
        const id = add(taylor);
        let { link } = await round(first());
        const step = async (what) => {
            change(id, what);
            const { objects, link: later } = await next(link);
            link = later;
            return objects;
        };
        assert.deepStrictEqual(await step({ delete: 'soft' }), [{ 'id': id, '@removed': { reason: 'changed' } }]);
        const [restored] = await step({ restore: true });
        assert.deepStrictEqual([restored.id, restored.externalUserState], [id, 'PendingAcceptance']);
        assert.deepStrictEqual(await step({ delete: 'hard' }), [{ 'id': id, '@removed': { reason: 'deleted' } }]);
        assert.deepStrictEqual((await round(first())).objects, []);
    });

    it('a deletion by Graph\'s own calls, and one that 30 days have made final', async () => {
        await sim.grant('User.ReadWrite.All', 'User.Invite.All');
        const { id } = (await sim.invite(taylor)).json.invitedUser;
        const start = await round(first());
        await sim.graph('DELETE', `/users/${id}`);
        assert.deepStrictEqual((await next(start.link)).objects, [{ 'id': id, '@removed': { reason: 'changed' } }]);
        sim.ctl('advance', String(26 * DAY));
        await sim.newToken();
        const late = await round(first());
        sim.ctl('advance', String(5 * DAY));
        await sim.newToken();
        assert.deepStrictEqual((await next(late.link)).objects, [{ 'id': id, '@removed': { reason: 'deleted' } }]);
    });

    it('the first round may tell of deleted ones too', async () => {
        const id = add(taylor);
        change(id, { delete: 'soft' });
        assert.deepStrictEqual((await round(first())).objects, []);
        sim.set('deltaRemovedFirst', true);
        assert.deepStrictEqual((await round(first())).objects, [{ 'id': id, '@removed': { reason: 'changed' } }]);
    });

    it('$deltatoken=latest: from now on, no data', async () => {
        add(taylor);
        const { json } = await first(`${STATE}&$deltatoken=latest`);
        assert.deepStrictEqual([json.value, json['@odata.nextLink']], [[], undefined]);
        const id = add(kim);
        const { objects } = await next(json['@odata.deltaLink']);
        assert.deepStrictEqual(objects.map((object) => object.id), [id]);
        assert.deepStrictEqual(Object.keys(objects[0]), ['id', 'externalUserState', 'externalUserStateChangeDateTime']);
    });

    it('pages, and empty ones; what changes meanwhile is in the next round at the latest', async () => {
        sim.ctl('seed', { count: 25, kind: 'pending', domain: 'seed.example' });
        sim.set('pageSize', 10);
        sim.set('emptyPages', 2);
        const start = await first();
        assert.deepStrictEqual(start.json.value, []);
        change('user3@seed.example', { state: 'Accepted' });
        change('user20@seed.example', { delete: 'hard' });
        const { pages, objects, link } = await round(start);
        assert.deepStrictEqual(pages.map((page) => page.length), [0, 0, 10, 10, 5]);
        assert.strictEqual(new Set(objects.map((object) => object.id)).size, 25);
        const since = (await next(link)).objects;
        assert.strictEqual(since.length, 2);
        assert.ok(since.some((object) => object.externalUserState === 'Accepted'));
        assert.ok(since.some((object) => object['@removed']));
    });

    it('a page can be asked for again', async () => {
        sim.ctl('seed', { count: 3, kind: 'pending', domain: 'seed.example' });
        sim.set('pageSize', 2);
        const link = (await first()).json['@odata.nextLink'];
        assert.deepStrictEqual((await get(link)).json.value, (await get(link)).json.value);
    });

    it('replays: the same object twice, and once more in the next round', async () => {
        sim.ctl('seed', { count: 5, kind: 'pending', domain: 'seed.example' });
        sim.set('deltaReplays', 1);
        sim.set('pageSize', 2);
        const { pages, objects, link } = await round(first());
        assert.deepStrictEqual(pages.map((page) => page.length), [2, 3, 2]);
        assert.strictEqual(new Set(objects.map((object) => object.id)).size, 5);
        assert.deepStrictEqual(pages[1][0], pages[0][1]);
        const again = (await next(link)).objects;
        assert.deepStrictEqual(again, [objects.at(-1)]);
    });

    it('changes come in any order', async () => {
        const ids = Array.from({ length: 8 }, (_, n) => add(`${n}@fabrikam.com`));
        const { link } = await round(first());
        ids.forEach((id) => change(id, { state: 'Accepted' }));
        const order = (await next(link)).objects.map((object) => object.id);
        assert.notDeepStrictEqual(order, ids);
        assert.deepStrictEqual(order.sort(), ids.sort());
    });

    it('$filter: only id eq, up to 50; it lives in the token', async () => {
        const [a, b] = [add(taylor), add(kim)];
        const filter = (text) => first(`${STATE}&$filter=${encodeURIComponent(text)}`);
        const { objects, link } = await round(filter(`id eq '${a}'`));
        assert.deepStrictEqual(objects.map((object) => object.id), [a]);
        change(b, { state: 'Accepted' });
        assert.deepStrictEqual((await next(link)).objects, []);
        change(a, { delete: 'soft' });
        assert.strictEqual((await next(link)).objects.length, 1);
        const ids = (count) => Array.from({ length: count }, (_, n) => `id eq '${n}'`).join(' or ');
        assert.deepStrictEqual((await round(filter(`${ids(49)} or id eq '${b}'`))).objects.length, 1);
        await refused(filter(ids(51)), 400, 'Request_UnsupportedQuery');
        for (const other of [`mail eq '${kim}'`, `id ne '${a}'`, `id eq '${a}' and id eq '${b}'`, "id in ('a')"])
            await refused(filter(other), 400, 'Request_UnsupportedQuery');
    });

    it('$top is ignored, other options refused, and none may be given with a token', async () => {
        sim.ctl('seed', { count: 3, kind: 'pending', domain: 'seed.example' });
        assert.strictEqual((await first(`${STATE}&$top=1`)).json.value.length, 3);
        for (const option of ['$orderby=displayName', '$expand=manager', '$search=a', '$skip=1', '$count=true'])
            await refused(first(option), 400, 'Request_UnsupportedQuery');
        const { link } = await round(first());
        await refused(get(`${link}&${STATE}`), 400, 'Request_UnsupportedQuery');
        await refused(sim.graph('GET', '/users?$deltatoken=latest'), 400, 'Request_UnsupportedQuery');
        await refused(first('$select=id,nickname'), 400, 'BadRequest');
    });

    it('a token is good for seven days, then 410 with a Location, or what the setting says', async () => {
        const id = add(taylor);
        const { link } = await round(first());
        sim.ctl('advance', String(7 * DAY - 60));
        await sim.newToken();
        assert.deepStrictEqual((await next(link)).objects, []);
        sim.ctl('advance', '120');
        const gone = await get(link);
        assert.deepStrictEqual([gone.status, gone.json.error.code], [410, 'resyncRequired']);
        assert.strictEqual(gone.headers.location, `${sim.ready.graphUrl}/v1.0/users/delta?$deltatoken=`);
        const fresh = await round(get(gone.headers.location));
        assert.deepStrictEqual([fresh.objects[0].id, fresh.objects[0].mail], [id, taylor]);
        for (const code of ['syncStateNotFound', 'resyncRequired']) {
            sim.set('deltaExpired', code);
            await refused(get(link), 400, code);
        }
        await refused(first('$deltatoken=unheard-of'), 400, 'resyncRequired');
    });

    it('one kind of token is not the other', async () => {
        const { link } = await round(first());
        sim.set('deltaExpired', 'syncStateNotFound');
        await refused(get(link.replace('$deltatoken', '$skiptoken')), 400, 'syncStateNotFound');
        await refused(sim.graph('GET', `/users?$skiptoken=${link.split('=')[1]}`), 400, 'Directory_ExpiredPageToken');
    });

    it('replication makes it late, and loses nothing', async () => {
        add(kim);
        const { link } = await round(first(`${STATE},mail`));
        sim.set('replication', { deltaMs: 10000 });
        const id = add(taylor);
        assert.strictEqual((await sim.graph('GET', `/users/${id}`)).status, 200);
        const early = await next(link);
        assert.deepStrictEqual(early.objects, []);
        assert.ok(!(await round(first())).objects.some((object) => object.id === id));
        sim.ctl('advance', '6');
        change(id, { set: { mail: 'new@fabrikam.com' } });
        sim.ctl('redeem', kim);
        sim.ctl('advance', '5');
        const middle = await next(early.link);
        assert.deepStrictEqual(middle.objects.map((object) => object.id), [id]);
        sim.ctl('advance', '6');
        const { objects } = await next(middle.link);
        assert.strictEqual(objects.length, 2);
        assert.ok(objects.some((object) => object.mail === 'new@fabrikam.com'));
        assert.ok(objects.some((object) => object.externalUserState === 'Accepted'));
    });

    it('the state may be one of the members that are not tracked', async () => {
        sim.set('deltaTracksState', false);
        const id = add(taylor);
        const { link } = await round(first(`${STATE},displayName`));
        sim.ctl('redeem', taylor);
        assert.deepStrictEqual((await next(link)).objects, []);
        change(id, { set: { displayName: 'T' } });
        assert.strictEqual((await next(link)).objects[0].externalUserState, 'Accepted');
        const minimal = (await next(link, { Prefer: 'return=minimal' })).objects;
        assert.deepStrictEqual(minimal, [{ id, displayName: 'T' }]);
    });

    it('a write to a guest that delta tells of may still fail', async () => {
        await sim.grant('User.ReadWrite.All', 'User.Invite.All');
        sim.set('replication', { byIdMs: 60000 });
        const { link } = await round(first());
        const { id } = (await sim.invite(taylor)).json.invitedUser;
        assert.strictEqual((await next(link)).objects[0].id, id);
        await refused(sim.graph('PATCH', `/users/${id}`, { displayName: 'T' }), 404, 'Request_ResourceNotFound');
    });

    it('needs User.Read.All', async () => {
        await sim.grant('User.ReadBasic.All', 'User.Invite.All');
        await refused(first(), 403, 'Authorization_RequestDenied');
    });

    it('the long names of the function; a tenant without it', async () => {
        for (const name of ['delta()', 'microsoft.graph.delta()', 'microsoft.graph.delta'])
            assert.strictEqual((await sim.graph('GET', `/users/${name}?${STATE}`)).status, 200, name);
        for (const [setting, status, code] of [[false, 404, 'Request_ResourceNotFound'],
            [403, 403, 'Authorization_RequestDenied'], [501, 501, 'NotImplemented']]) {
            sim.set('delta', setting);
            await refused(first(), status, code);
        }
    });

    it('thousands of changes of a few users are told of once, and kept as few', async () => {
        const ids = [add(taylor), add(kim)];
        const { link } = await round(first());
        for (let n = 0; n < 3000; n++)
            change(ids[n % 2], { state: n % 3 ? 'Accepted' : 'PendingAcceptance' });
        assert.deepStrictEqual((await next(link)).objects.map((object) => object.id).sort(), ids.sort());
        assert.deepStrictEqual((await next((await next(link)).link)).objects, []);
        const changes = new Changes({ now: () => 0 });
        const users = [{ props: { mail: 'a' } }, { props: { mail: 'b' } }];
        for (let n = 0; n < 100000; n++)
            changes.changed(users[n % 2], { mail: String(n) });
        assert.ok(changes.users.length < 3000);
        assert.deepStrictEqual(changes.since(0), users);
    });
});

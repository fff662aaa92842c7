'use strict';
// The schema checker itself, on small schemas of its own: each keyword lets the right pass and the wrong not.

const assert = require('node:assert');
const childProcess = require('node:child_process');
const path = require('node:path');
const { describe, it } = require('node:test');
const { checkAll } = require('../openapi/check-ledger');
const { Description, comparedNames } = require('../openapi/description');
const { recordedBodies } = require('../openapi/recorded-bodies');
const { Checker, BadSchema } = require('../openapi/schema');

const SCHEMAS = {
    named: { type: 'object', required: ['name', '@odata.type'], properties: { name: { type: 'string' } } },
    derived: { allOf: [{ $ref: '#/components/schemas/named' },
        { type: 'object', properties: { age: { type: 'integer', nullable: true } } }] },
};
const DOCUMENT = {
    paths: {
        '/things': {
            get: {
                parameters: [{ name: '$select', in: 'query' }, { $ref: '#/components/parameters/filter' }],
                responses: { '2XX': { content: { 'application/json': { schema: { allOf: [{ type: 'object', properties: {
                    value: { type: 'array', items: { $ref: '#/components/schemas/derived' } } } }] } } } },
                '4XX': { $ref: '#/components/responses/error' } },
            },
            post: {
                requestBody: { required: true, content: { 'application/json': {
                    schema: { $ref: '#/components/schemas/derived' } } } },
                responses: { 201: { content: {} } },
            },
        },
        '/things/{id}': { delete: { responses: { 204: {} } } },
        '/things/delta()': { get: { responses: {} } },
    },
    components: {
        schemas: SCHEMAS, parameters: { filter: { name: '$filter', in: 'query' } },
        responses: { error: { content: { 'application/json': { schema: { $ref: '#/components/schemas/named' } } } } },
    },
};

describe('schema checker', () => {
    const check = (schema, value, options) => new Checker(DOCUMENT, options).check(schema, value);
    const passes = (schema, ...values) => values.forEach((value) => assert.deepStrictEqual(check(schema, value), []));
    const fails = (schema, ...values) => values.forEach((value) => assert.ok(check(schema, value).length > 0,
        `${JSON.stringify(value)} passes ${JSON.stringify(schema)}`));
    const ref = (name) => ({ $ref: `#/components/schemas/${name}` });

    it('type and nullable', () => {
        const values = { object: {}, array: [], string: 'a', boolean: false, number: 1.5, integer: 1 };
        for (const type of Object.keys(values)) {
            passes({ type }, values[type]);
            const others = Object.keys(values).filter((other) => other !== type
                && !(type === 'number' && other === 'integer'));
            fails({ type }, ...others.map((other) => values[other]), null);
            passes({ type, nullable: true }, null, values[type]);
        }
        passes({}, null, 1, 'a', {});
    });

    it('enum, format, pattern and bounds', () => {
        passes({ type: 'string', enum: ['a', 'b'] }, 'b');
        fails({ type: 'string', enum: ['a', 'b'] }, 'c', null);
        passes({ type: 'string', format: 'date-time' }, '2026-01-05T10:11:12Z', '2026-01-05T10:11:12.5+01:00');
        fails({ type: 'string', format: 'date-time' }, '2026-01-05T10:11:12', '2026-01-05', '2026-13-05T10:11:12Z');
        passes({ type: 'string', format: 'uuid' }, '0c1c1c1c-2222-4b4b-8d8d-0b0b0b0b0b02');
        fails({ type: 'string', format: 'uuid' }, '0c1c1c1c', '');
        passes({ type: 'string', format: 'time' }, '10:11:12');
        fails({ type: 'string', format: 'time' }, '10:11');
        fails({ type: 'number', format: 'int32' }, 2 ** 33, 1.5);
        passes({ type: 'string', pattern: '^a' }, 'ab');
        fails({ type: 'string', pattern: '^a' }, 'ba');
        passes({ type: 'integer', minimum: 1, maximum: 3 }, 1, 3);
        fails({ type: 'integer', minimum: 1, maximum: 3 }, 0, 4);
        passes({ type: 'string', minLength: 1, maxLength: 2 }, 'a', 'ab');
        fails({ type: 'string', minLength: 1, maxLength: 2 }, '', 'abc');
        passes({ type: 'array', minItems: 1, maxItems: 2, uniqueItems: true, items: { type: 'string' } }, ['a', 'b']);
        fails({ type: 'array', minItems: 1, maxItems: 2, uniqueItems: true }, [], [1, 2, 3], [1, 1]);
        fails({ type: 'array', items: { type: 'string' } }, ['a', 1]);
    });

    it('required, but for @odata.type; properties; additionalProperties', () => {
        passes(ref('named'), { name: 'a' }, { name: 'a', more: 1 });
        fails(ref('named'), {}, { name: 1 }, { name: null });
        fails({ type: 'object', additionalProperties: false }, { a: 1 });
        passes({ type: 'object', additionalProperties: { type: 'string' } }, { a: 'b' });
        fails({ type: 'object', additionalProperties: { type: 'string' } }, { a: 1 });
    });

    it('allOf, anyOf, oneOf, "or null"', () => {
        passes(ref('derived'), { name: 'a', age: 1 }, { name: 'a', age: null });
        fails(ref('derived'), { age: 1 }, { name: 'a', age: 'old' });
        const either = [{ type: 'string' }, { type: 'integer' }, { type: 'number' }];
        passes({ anyOf: either }, 'a', 1);
        fails({ anyOf: either }, true);
        passes({ oneOf: either }, 'a', 1.5);
        fails({ oneOf: either }, 1, true);
        const orNull = { anyOf: [ref('named'), { type: 'object', nullable: true }] };
        passes(orNull, null, { name: 'a' });
        fails(orNull, { name: 1 }, {});
    });

    it('closed: members that nothing declares', () => {
        const closed = (schema, value) => check(schema, value, { closed: true }).length;
        assert.strictEqual(closed(ref('derived'), { name: 'a', age: 1 }), 0);
        assert.strictEqual(closed(ref('derived'), { name: 'a', nmae: 'b' }), 1);
        assert.strictEqual(closed({ type: 'array', items: ref('derived') }, [{ name: 'a', x: 1, y: 2 }]), 2);
        assert.strictEqual(closed({ type: 'object' }, { anything: 1 }), 0);
        assert.strictEqual(closed(ref('named'), { 'name': 'a', '@odata.context': 'x', 'name@odata.bind': 'y' }), 0);
        assert.strictEqual(closed(ref('named'), { 'name': 'a', 'other@odata.bind': 'y' }), 1);
        assert.strictEqual(closed(ref('named'), { 'name': 'a', '@odata.type': '#derived', 'age': 1 }), 0);
        assert.ok(check(ref('named'), { 'name': 'a', '@odata.type': '#derived', 'age': 'x' }).length > 0);
    });

    it('what the checker does not know is not passed over', () => {
        for (const schema of [{ minProperties: 1 }, { type: 'text' }, { type: 'string', format: 'email' },
            { $ref: '#/nothing' }, { $ref: 'other.json' }])
            assert.throws(() => check(schema, 'a'), BadSchema);
        passes({ 'type': 'string', 'x-note': 'n', 'description': 'd' }, 'a');
    });
});

describe('description', () => {
    const description = new Description(DOCUMENT);
    const wrong = (request) => description.checkRequest(request).length;
    const get = (query) => ({ method: 'GET', path: '/things', query: new Map(Object.entries(query)) });

    it('requests: path, method, options, names of properties, body', () => {
        assert.strictEqual(wrong(get({ $select: 'name,age', $filter: "name eq 'nick''s eq b' or age ge 3" })), 0);
        assert.strictEqual(wrong(get({ $skiptoken: 'x' })), 0);
        assert.strictEqual(wrong(get({ $top: '1' })), 1);
        assert.strictEqual(wrong(get({ $select: 'name,nmae' })), 1);
        assert.strictEqual(wrong(get({ $filter: "startsWith(nmae,'a')" })), 1);
        assert.strictEqual(wrong(get({ $filter: 'nothing' })), 1);
        const post = (body) => ({ method: 'POST', path: '/things', body });
        assert.strictEqual(wrong(post({ name: 'a' })), 0);
        assert.ok(wrong(post({ name: 1 })) && wrong(post({ name: 'a', nmae: 1 })) && wrong(post(null)));
        assert.strictEqual(wrong({ method: 'DELETE', path: '/things/7' }), 0);
        assert.ok(wrong({ method: 'DELETE', path: '/things/7', body: {} }));
        assert.ok(wrong({ method: 'DELETE', path: '/things' }) && wrong({ method: 'GET', path: '/other' }));
        assert.strictEqual(description.operation('GET', '/things/microsoft.graph.delta()').template, '/things/delta()');
    });

    it('answers: by status, by hundred, none', () => {
        const answer = (method, at, status, body) => description.checkAnswer({ method, path: at, status, body }).length;
        assert.strictEqual(answer('GET', '/things', 200, { value: [{ name: 'a' }] }), 0);
        assert.strictEqual(answer('GET', '/things', 200, { value: [{ name: 7 }] }), 1);
        assert.strictEqual(answer('GET', '/things', 404, { name: 'gone' }), 0);
        assert.strictEqual(answer('GET', '/things', 404, {}), 1);
        assert.strictEqual(answer('GET', '/things', 500, { name: 'x' }), 1);
        assert.strictEqual(answer('DELETE', '/things/7', 204, undefined), 0);
        assert.strictEqual(answer('DELETE', '/things/7', 204, {}), 1);
    });

    it('the names in a filter', () => {
        assert.deepStrictEqual(comparedNames("userPrincipalName eq 'mail eq x' or otherMails/any(x:x eq 'a') or "
            + "identities/any(i:i/issuer eq 'a' and i/issuerAssignedId eq 'b') or endsWith(mail,'c')"),
        ['userPrincipalName', 'otherMails', 'identities', 'mail']);
    });

    it('a ledger: what was sent, what is wrong, what is known to be undescribed', () => {
        const record = (n, method, at, query = '', body = null) => ({ n, method, path: `/v1.0${at}`, query, body });
        const records = [record(1, 'GET', '/things', "$select=name&$filter=name eq 'a&b'"),
            record(2, 'POST', '/things', '', { name: 1 }), record(3, 'GET', '/things/7'),
            { n: 4, method: 'POST', path: '/tenant/oauth2/v2.0/token', query: '', body: null }];
        const { wrong: texts, sent } = checkAll(description, records, ['GET /things/{id}']);
        assert.deepStrictEqual(texts.map((text) => text.slice(0, 10)), ['request 2:']);
        assert.deepStrictEqual([...sent], [['GET /things', 1], ['POST /things', 1], ['GET /things/{id}', 1]]);
        assert.strictEqual(checkAll(description, records, []).wrong.length, 2);
    });

    it('check-ledger refuses what is no ledger', () => {
        const program = path.join(__dirname, '../openapi/check-ledger.js');
        const { status } = childProcess.spawnSync(process.execPath, [program], { input: '{', encoding: 'utf8' });
        assert.ok(status === 2 || status === 77);
    });

    it('the bodies in the C tests are found, macros and all', () => {
        const bodies = recordedBodies(path.join(__dirname, '../../unit'), '{"invitedUserEmailAddress"');
        assert.ok(bodies.length >= 4);
        assert.ok(bodies.every(({ text }) => /@/.test(JSON.parse(text).invitedUserEmailAddress)));
    });
});

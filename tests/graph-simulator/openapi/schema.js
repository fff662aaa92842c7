'use strict';
// Checks a JSON value against a schema of OpenAPI 3.0, as far as the description of Graph uses it:
//   $ref, allOf, anyOf, oneOf, type, nullable, enum, format, pattern, required, properties, additionalProperties,
//   items, and the bounds of numbers, texts and arrays.
// A keyword that is neither known here nor a mere remark is an error of the checker: it must not pass unnoticed.

const BOUNDS = {
    minimum: (value, bound) => typeof value !== 'number' || value >= bound,
    maximum: (value, bound) => typeof value !== 'number' || value <= bound,
    minLength: (value, bound) => typeof value !== 'string' || [...value].length >= bound,
    maxLength: (value, bound) => typeof value !== 'string' || [...value].length <= bound,
    minItems: (value, bound) => !Array.isArray(value) || value.length >= bound,
    maxItems: (value, bound) => !Array.isArray(value) || value.length <= bound,
    uniqueItems: (value, bound) => !bound || !Array.isArray(value)
        || new Set(value.map((item) => JSON.stringify(item))).size === value.length,
    pattern: (value, source) => typeof value !== 'string' || new RegExp(source, 'u').test(value),
};

const TYPES = {
    object: (value) => typeof value === 'object' && !Array.isArray(value),
    array: Array.isArray,
    string: (value) => typeof value === 'string',
    boolean: (value) => typeof value === 'boolean',
    number: (value) => typeof value === 'number',
    integer: Number.isInteger,
};

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const FORMATS = {
    'date-time': (value) => DATE_TIME.test(value) && Number.isFinite(Date.parse(value)),
    'time': (value) => /^\d\d:\d\d:\d\d(\.\d+)?$/.test(value),
    'uuid': (value) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value),
    'int32': (value) => Number.isInteger(value) && Math.abs(value) <= 2 ** 31,
    'int64': Number.isInteger,
};

const COMPOSED = ['allOf', 'anyOf', 'oneOf'];
const KNOWN = ['$ref', ...COMPOSED, 'type', 'nullable', 'enum', 'format', 'required', 'properties',
    'additionalProperties', 'items', ...Object.keys(BOUNDS)];
const REMARKS = ['title', 'description', 'default', 'example', 'deprecated', 'readOnly', 'discriminator',
    'externalDocs'];

// Marked as required on many types and sent on none (contract 9).
const NEVER_REQUIRED = '@odata.type';
// Facts about a value, which any object may carry undeclared.
const ANNOTATIONS = /^@odata\.(context|count|nextLink|deltaLink|etag)$|^@removed$|@odata\.(context|count|type)$/;

class BadSchema extends Error {}

/** How generated descriptions say "or null" of a type by reference; taken literally it would let any object pass. */
function isOrNull(schema) {
    return Object.keys(schema).every((key) => ['type', 'nullable'].includes(key)) && schema.nullable === true;
}

class Checker {
    /** document: what $ref points into. closed: a member that no schema declares is an error. */
    constructor(document, { closed = false } = {}) {
        this.document = document;
        this.closed = closed;
    }

    resolve(reference) {
        if (!reference.startsWith('#/'))
            throw new BadSchema(`a reference out of the document: ${reference}`);
        const names = reference.slice(2).split('/').map((name) => name.replace(/~1/g, '/').replace(/~0/g, '~'));
        const found = names.reduce((part, name) => (part === undefined ? undefined : part[name]), this.document);
        if (found === undefined)
            throw new BadSchema(`nothing is at ${reference}`);
        return found;
    }

    /** Returns what is wrong, as texts that begin with the place; [] if nothing is. */
    check(schema, value, place = '$') {
        return this.whole(schema, value, place);
    }

    /** A value and all schemas that are composed for it: only together do they know all of its members. */
    whole(schema, value, place) {
        const declared = new Set();
        const errors = this.part(schema, value, place, declared);
        const derived = this.derivedType(value);
        if (derived)
            errors.push(...this.part(derived, value, place, declared));
        if (!this.closed || errors.length > 0 || declared.size === 0 || value === null || !TYPES.object(value))
            return errors;
        const isDeclared = (name) => declared.has(name) || ANNOTATIONS.test(name)
            || (name.endsWith('@odata.bind') && declared.has(name.slice(0, -'@odata.bind'.length)));
        return Object.keys(value).filter((name) => !isDeclared(name))
            .map((name) => `${place}.${name}: no such member is described`);
    }

    /** The schema of the type that an object says it is; null if it does not, or none is described. */
    derivedType(value) {
        const name = value !== null && typeof value === 'object' && value['@odata.type'];
        const schemas = (this.document.components || {}).schemas || {};
        return (typeof name === 'string' && schemas[name.replace(/^#/, '')]) || null;
    }

    /** declared: gets the names of the members that the schema declares. */
    part(schema, value, place, declared) {
        this.refuseUnknown(schema, place);
        if (schema.$ref !== undefined)
            return this.part(this.resolve(schema.$ref), value, place, declared);
        const errors = this.composed(schema, value, place, declared);
        if (value === null) {
            const isTyped = schema.type !== undefined || schema.enum !== undefined;
            return isTyped && schema.nullable !== true ? [...errors, `${place}: is null`] : errors;
        }
        return [...errors, ...this.plain(schema, value, place, declared)];
    }

    refuseUnknown(schema, place) {
        for (const key of Object.keys(schema)) {
            if (!KNOWN.includes(key) && !REMARKS.includes(key) && !key.startsWith('x-'))
                throw new BadSchema(`${place}: the keyword ${key} is not known to this checker`);
        }
    }

    composed(schema, value, place, declared) {
        const errors = (schema.allOf || []).flatMap((part) => this.part(part, value, place, declared));
        for (const key of ['anyOf', 'oneOf']) {
            if (schema[key] === undefined)
                continue;
            const tried = schema[key].map((part) => {
                const own = new Set();
                if (isOrNull(part))
                    return { own, wrong: value === null ? [] : [`${place}: is not null`] };
                return { own, wrong: this.part(part, value, place, own) };
            });
            const fitting = tried.filter(({ wrong }) => wrong.length === 0);
            fitting.forEach(({ own }) => own.forEach((name) => declared.add(name)));
            if (fitting.length === 0)
                errors.push(...tried[0].wrong);
            else if (key === 'oneOf' && fitting.length > 1)
                errors.push(`${place}: fits ${fitting.length} of the schemas of which one should`);
        }
        return errors;
    }

    plain(schema, value, place, declared) {
        const errors = [];
        if (schema.type !== undefined && !this.type(schema.type)(value))
            return [`${place}: is no ${schema.type}: ${JSON.stringify(value).slice(0, 80)}`];
        if (schema.enum !== undefined && !schema.enum.includes(value))
            errors.push(`${place}: is none of ${schema.enum.join(', ')}: ${JSON.stringify(value)}`);
        if (schema.format !== undefined && !this.format(schema.format)(value))
            errors.push(`${place}: is no ${schema.format}: ${JSON.stringify(value)}`);
        for (const [name, holds] of Object.entries(BOUNDS)) {
            if (schema[name] !== undefined && !holds(value, schema[name]))
                errors.push(`${place}: breaks ${name} ${schema[name]}`);
        }
        if (Array.isArray(value) && schema.items !== undefined)
            value.forEach((item, at) => errors.push(...this.whole(schema.items, item, `${place}[${at}]`)));
        if (TYPES.object(value))
            errors.push(...this.members(schema, value, place, declared));
        return errors;
    }

    type(name) {
        if (!Object.prototype.hasOwnProperty.call(TYPES, name))
            throw new BadSchema(`the type ${name} is not known to this checker`);
        return TYPES[name];
    }

    format(name) {
        if (!Object.prototype.hasOwnProperty.call(FORMATS, name))
            throw new BadSchema(`the format ${name} is not known to this checker`);
        return FORMATS[name];
    }

    members(schema, value, place, declared) {
        const { properties = {}, required = [], additionalProperties } = schema;
        const has = (object, name) => Object.prototype.hasOwnProperty.call(object, name);
        const errors = required.filter((name) => name !== NEVER_REQUIRED && !has(value, name))
            .map((name) => `${place}.${name}: is missing`);
        Object.keys(properties).forEach((name) => declared.add(name));
        for (const [name, member] of Object.entries(value)) {
            if (has(properties, name))
                errors.push(...this.whole(properties[name], member, `${place}.${name}`));
            else if (additionalProperties === false)
                errors.push(`${place}.${name}: no such member is allowed`);
            else if (additionalProperties !== undefined) {
                declared.add(name);
                if (additionalProperties !== true)
                    errors.push(...this.whole(additionalProperties, member, `${place}.${name}`));
            }
        }
        return errors;
    }
}

module.exports = { Checker, BadSchema };

'use strict';
// The description of Graph's API that lies beside the repository, if it does: which operation a request is, and whether
// request and answer are as it says. It is read where it is, and never copied.

const fs = require('fs');
const path = require('path');
const { Checker } = require('./schema');

const FILE = path.resolve(__dirname, '../../../../shared/graph-subset.openapi.json');
const MISSING = 'there is no shared/graph-subset.openapi.json beside the repository';
const JSON_TYPE = 'application/json';

// Graph's own links carry them, so no description lists them.
const OF_LINKS = ['$skiptoken', '$deltatoken'];
const DELTA = /\/delta$|\/microsoft\.graph\.delta(\(\))?$/;
const COMPARED = /\b([A-Za-z]\w*)(?:\/\w+)*\s*(?:\/(?:any|all)\b|\s(?:eq|ne|gt|ge|lt|le|in)\b)/g;
const CALLED = /\b(?:startsWith|endsWith|contains)\s*\(\s*([A-Za-z]\w*)/gi;

function fits(template, segments) {
    const parts = template.split('/');
    return parts.length === segments.length
        && parts.every((part, at) => part === segments[at] || (/^\{.*\}$/.test(part) && segments[at] !== ''));
}

/** The names of properties that a $filter compares; the variable of a lambda is none. */
function comparedNames(filter) {
    const bare = filter.replace(/'(?:[^']|'')*'/g, '\'\'');
    const variables = [...bare.matchAll(/\(\s*(\w+)\s*:/g)].map(([, name]) => name);
    const names = [...bare.matchAll(COMPARED), ...bare.matchAll(CALLED)].map(([, name]) => name);
    return names.filter((name) => !variables.includes(name));
}

class Description {
    constructor(document) {
        this.document = document;
        this.open = new Checker(document);
        this.closed = new Checker(document, { closed: true });
    }

    resolved(object) {
        return object !== undefined && object.$ref !== undefined ? this.open.resolve(object.$ref) : object;
    }

    /** The operation that a request is, null if none is described. pathUnderRoot: without the version. */
    operation(method, pathUnderRoot) {
        const segments = pathUnderRoot.replace(DELTA, '/delta()').split('/');
        const templates = Object.keys(this.document.paths).filter((template) => fits(template, segments))
            .sort((a, b) => a.split('{').length - b.split('{').length);
        for (const template of templates) {
            const operation = this.document.paths[template][method.toLowerCase()];
            if (operation !== undefined)
                return { template, operation };
        }
        return null;
    }

    schemaOf(content) {
        return content && content[JSON_TYPE] ? content[JSON_TYPE].schema : null;
    }

    /** The response for a status: its own, or that of its hundred; null if there is none. */
    response(operation, status) {
        const { responses } = operation;
        return this.resolved(responses[status] || responses[`${String(status)[0]}XX`]) || null;
    }

    /** The names that a schema of objects declares, through what it is composed of; of a list: those of its items. */
    memberNames(schema, names = new Set()) {
        const own = this.resolved(schema);
        for (const key of ['allOf', 'anyOf', 'oneOf'])
            (own[key] || []).forEach((part) => this.memberNames(part, names));
        Object.keys(own.properties || {}).forEach((name) => names.add(name));
        return names;
    }

    itemSchema(schema) {
        const own = this.resolved(schema);
        if (own.properties && own.properties.value)
            return own.properties.value.items || null;
        return (own.allOf || []).map((part) => this.itemSchema(part)).find((found) => found) || null;
    }

    /** What $select and $filter may name: the members of what the operation answers. */
    selectable(operation) {
        const response = this.response(operation, 200);
        const schema = response && this.schemaOf(response.content);
        return schema ? this.memberNames(this.itemSchema(schema) || schema) : new Set();
    }

    checkQuery(operation, query) {
        const described = (operation.parameters || []).map((parameter) => this.resolved(parameter))
            .filter((parameter) => parameter.in === 'query').map((parameter) => parameter.name);
        const errors = [...query.keys()].filter((name) => !described.includes(name) && !OF_LINKS.includes(name))
            .map((name) => `query: no option ${name} is described`);
        const selected = query.has('$select') ? query.get('$select').split(',') : [];
        const filtered = query.has('$filter') ? comparedNames(query.get('$filter')) : [];
        if (query.has('$filter') && filtered.length === 0)
            errors.push(`query: $filter compares nothing: ${query.get('$filter')}`);
        const names = this.selectable(operation);
        return errors.concat([...selected, ...filtered].filter((name) => !names.has(name))
            .map((name) => `query: no property ${name} is described`));
    }

    /** query: a Map; body: the JSON value, null or undefined if there is none. Returns what is wrong, as texts. */
    checkRequest({ method, path: pathUnderRoot, query = new Map(), body }) {
        const found = this.operation(method, pathUnderRoot);
        if (!found)
            return [`${method} ${pathUnderRoot}: is not described`];
        const errors = this.checkQuery(found.operation, query);
        const hasBody = body !== undefined && body !== null;
        const described = this.resolved(found.operation.requestBody);
        if (described && hasBody)
            errors.push(...this.closed.check(this.schemaOf(described.content), body));
        else if (described ? described.required : hasBody)
            errors.push(described ? '$: the body is missing' : '$: no body is described');
        return errors;
    }

    checkAnswer({ method, path: pathUnderRoot, status, body }) {
        const found = this.operation(method, pathUnderRoot);
        if (!found)
            return [`${method} ${pathUnderRoot}: is not described`];
        const response = this.response(found.operation, status);
        if (!response)
            return [`${method} ${pathUnderRoot}: no answer ${status} is described`];
        const schema = this.schemaOf(response.content);
        if (body === undefined || body === null)
            return [];
        return schema && status !== 204 ? this.closed.check(schema, body) : ['$: no body is described'];
    }
}

/** null if it is not there: a clone may stand alone. */
function readDescription(file = FILE) {
    return fs.existsSync(file) ? new Description(JSON.parse(fs.readFileSync(file, 'utf8'))) : null;
}

module.exports = { Description, readDescription, comparedNames, MISSING };

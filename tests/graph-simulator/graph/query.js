'use strict';
// The query part of a URL: decoding, and the rules for advanced queries (contract 3).

const { GraphError } = require('./answers');

const KNOWN = ['$filter', '$select', '$top', '$count', '$orderby', '$search', '$expand', '$skiptoken', '$deltatoken',
    '$skip', '$format'];

/** A plus is a blank here, as everywhere in a query; a client must send %2B for a plus. */
function decodePart(text) {
    try {
        return decodeURIComponent(text.replace(/\+/g, ' '));
    } catch (error) {
        throw new GraphError(400, 'BadRequest', 'The request URI is not valid: bad percent-encoding.');
    }
}

/** Query text to a map of names to values. Names that Graph does not know, but for $ ones, are ignored. */
function parseQuery(text) {
    const query = new Map();
    for (const pair of text.split('&')) {
        if (pair === '')
            continue;
        const at = pair.indexOf('=');
        const name = decodePart(at < 0 ? pair : pair.slice(0, at)).toLowerCase();
        const value = at < 0 ? '' : decodePart(pair.slice(at + 1));
        if (name.startsWith('$') && !KNOWN.includes(name))
            throw new GraphError(400, 'BadRequest', `The query parameter '${name}' is not supported.`);
        if (query.has(name) && name.startsWith('$'))
            throw new GraphError(400, 'BadRequest', `Query option '${name}' was specified more than once, but it `
                + 'must be specified at most once.');
        query.set(name, value);
    }
    return query;
}

function parseBoolean(name, text) {
    if (text !== 'true' && text !== 'false')
        throw new GraphError(400, 'BadRequest', `Invalid value '${text}' for the query option ${name}.`);
    return text === 'true';
}

function parseTop(text, maxTop) {
    if (!/^\d{1,9}$/.test(text) || Number(text) < 1 || Number(text) > maxTop)
        throw new GraphError(400, 'Request_UnsupportedQuery', `Invalid page size specified: '${text}'. Must be `
            + `between 1 and ${maxTop} inclusive.`);
    return Number(text);
}

/** $orderby of one property: {name, descending}. */
function parseOrder(text) {
    const match = /^\s*(displayName|userPrincipalName|createdDateTime)(?:\s+(asc|desc))?\s*$/.exec(text);
    if (!match)
        throw new GraphError(400, 'Request_UnsupportedQuery', `Unsupported sort property '${text}' for 'User'.`);
    return { name: match[1], descending: match[2] === 'desc' };
}

function isEventual(ctx) {
    return String(ctx.headers.consistencylevel || '').toLowerCase() === 'eventual';
}

/** An advanced query needs ConsistencyLevel: eventual and $count=true, both. */
function requirePair(ctx, count) {
    if (!isEventual(ctx) || !count)
        throw new GraphError(400, 'Request_UnsupportedQuery', 'Unsupported query: this needs the request header '
            + 'ConsistencyLevel with the value eventual and $count=true.');
}

module.exports = { parseQuery, parseBoolean, parseTop, parseOrder, isEventual, requirePair };

'use strict';
// What a $filter may ask for (contract 3 and 4.1), which objects an index offers for it, and whether one matches.

const { GraphError } = require('./answers');
const { PROPERTIES, isProperty } = require('./properties');
const { fold } = require('../engine/address');

const ISSUERS_ALONE = ['google.com', 'facebook.com', 'mail', 'phone'];
const NEEDS_PAIR = ['ne', 'not', 'endsWith'];

function unsupported(message) {
    return new GraphError(400, 'Request_UnsupportedQuery', message);
}

function operatorName(node) {
    if (node.op === 'call')
        return { startswith: 'startsWith', endswith: 'endsWith', contains: 'contains' }[node.name];
    return node.op === 'in' ? 'in' : node.name;
}

/** Checks one tree and gathers what it needs: or-clauses and operators that need the advanced pair. */
class Checker {
    constructor(settings) {
        this.settings = settings;
        this.leaves = 0;
        this.hasOr = false;
        this.advanced = false;
        this.usesIdentities = false;
    }

    check(node) {
        switch (node.op) {
        case 'or':
            this.hasOr = true;
            node.parts.forEach((part) => this.check(part));
            break;
        case 'and':
            node.parts.forEach((part) => this.check(part));
            break;
        case 'not':
            this.advanced = true;
            this.check(node.part);
            break;
        case 'all':
            throw unsupported('The quantifier all is not supported.');
        case 'any':
            this.checkAny(node);
            break;
        default:
            this.checkLeaf(node, node.path);
        }
    }

    checkProperty(name) {
        if (!isProperty(name))
            throw unsupported(`Property '${name}' does not exist as a declared property or extension property.`);
    }

    checkLeaf(node, name) {
        this.leaves++;
        this.checkProperty(name);
        this.checkOperator(name, operatorName(node));
        if (['texts', 'identities', 'object'].includes(PROPERTIES[name][0]))
            throw new GraphError(400, 'Request_BadRequest', `Invalid filter clause: '${name}' is a collection; use `
                + 'any().');
        this.checkValue(name, node);
    }

    checkOperator(name, operator) {
        if (!PROPERTIES[name][1].includes(operator))
            throw unsupported(`Unsupported or invalid query filter clause specified for property '${name}' of `
                + `resource 'User'.`);
        if (NEEDS_PAIR.includes(operator))
            this.advanced = true;
        if (name.startsWith('externalUserState')) {
            if (this.settings.externalUserStateFilter === 'refused')
                throw unsupported(`Unsupported or invalid query filter clause specified for property '${name}' of `
                    + `resource 'User'.`);
            this.advanced = this.advanced || this.settings.externalUserStateFilter === 'advanced';
        }
    }

    checkValue(name, node) {
        const isRight = {
            text: (value) => typeof value === 'string',
            texts: (value) => typeof value === 'string',
            boolean: (value) => typeof value === 'boolean',
            time: (value) => typeof value === 'object' && Number.isFinite(value.time),
        }[PROPERTIES[name][0]];
        for (const value of node.op === 'in' ? node.values : [node.value]) {
            if (value !== null && !isRight(value))
                throw new GraphError(400, 'Request_BadRequest', `Invalid filter clause: a value does not suit `
                    + `'${name}'.`);
        }
    }

    checkAny(node) {
        this.checkProperty(node.path);
        if (PROPERTIES[node.path][0] === 'identities') {
            this.checkIdentities(node);
            return;
        }
        if (PROPERTIES[node.path][0] !== 'texts' || !['compare', 'call', 'in'].includes(node.body.op)
            || node.body.path !== node.variable)
            throw new GraphError(400, 'Request_BadRequest', `Invalid filter clause: any() on '${node.path}'.`);
        this.leaves++;
        this.checkOperator(node.path, operatorName(node.body));
        this.checkValue(node.path, node.body);
    }

    checkIdentities(node) {
        this.leaves++;
        this.usesIdentities = true;
        const asked = {};
        const parts = node.body.op === 'and' ? node.body.parts : [node.body];
        for (const part of parts) {
            const name = String(part.path || '').replace(`${node.variable}/`, '');
            if (part.op !== 'compare' || part.name !== 'eq' || !['issuer', 'issuerAssignedId'].includes(name)
                || typeof part.value !== 'string')
                throw unsupported('Unsupported property filter clause operator for identities.');
            asked[name] = part.value;
        }
        if (asked.issuer === undefined)
            throw unsupported('Unsupported property filter clause: identities need issuer and issuerAssignedId.');
        if (asked.issuerAssignedId === undefined && !ISSUERS_ALONE.includes(asked.issuer))
            throw unsupported(`Unsupported property filter clause: identities by issuer '${asked.issuer}' alone.`);
        if (asked.issuer.length > 512 || (asked.issuerAssignedId || '').length > 64)
            throw new GraphError(400, 'Request_BadRequest', 'Invalid filter clause: an identities value is too long.');
        node.identity = asked;
    }
}

/** Returns {tree, advanced}; throws GraphError if the directory would refuse the filter. */
function checkFilter(tree, settings) {
    const checker = new Checker(settings);
    checker.check(tree);
    if (checker.hasOr && checker.leaves > settings.maxOrClauses)
        throw unsupported('Too many child clauses specified in search filter expression containing \'OR\' operators: '
            + `${checker.leaves}. Max allowed: ${settings.maxOrClauses}.`);
    if (checker.usesIdentities && tree.op !== 'any')
        throw unsupported('A filter on identities can\'t be combined with another one.');
    return { tree, advanced: checker.advanced };
}

/** The objects among which the matches are, from an index; null: only a walk over all can tell. */
function candidates(node, collection) {
    switch (node.op) {
    case 'compare':
        if (node.name !== 'eq' || typeof node.value !== 'string'
            || !['id', 'mail', 'userPrincipalName'].includes(node.path))
            return null;
        return new Set(collection.find(node.path, node.value));
    case 'in':
        if (!['id', 'mail', 'userPrincipalName'].includes(node.path))
            return null;
        return new Set(node.values.flatMap((value) => collection.find(node.path, String(value))));
    case 'any':
        if (node.identity)
            return node.identity.issuerAssignedId === undefined
                ? null : new Set(collection.find('identities', node.identity.issuerAssignedId));
        return node.body.op === 'compare' && node.body.name === 'eq'
            ? new Set(collection.find(node.path, String(node.body.value))) : null;
    case 'and':
        return node.parts.map((part) => candidates(part, collection)).find((found) => found) || null;
    case 'or': {
        const found = node.parts.map((part) => candidates(part, collection));
        return found.includes(null) ? null : new Set(found.flatMap((set) => [...set]));
    }
    default:
        return null;
    }
}

// The "SMTP:" of a primary proxy address tells it from the others, so its case counts; that of the address does not.
function sameText(name, have, want) {
    if (name === 'proxyAddresses' && have.slice(0, 5) !== want.slice(0, 5))
        return false;
    return fold(have) === fold(want);
}

function compare(name, operator, have, want) {
    if (have === null || have === undefined || want === null)
        return operator === 'eq' ? (have === undefined ? null : have) === want : operator === 'ne';
    if (typeof want === 'object') {
        have = Date.parse(have);
        want = want.time;
    }
    const same = typeof want === 'string' ? sameText(name, have, want) : have === want;
    switch (operator) {
    case 'eq': return same;
    case 'ne': return !same;
    case 'gt': return have > want;
    case 'ge': return have >= want;
    case 'lt': return have < want;
    default: return have <= want;
    }
}

function matchesLeaf(node, name, have) {
    if (node.op === 'in')
        return node.values.some((value) => compare(name, 'eq', have, value));
    if (node.op === 'compare')
        return compare(name, node.name, have, node.value);
    if (typeof have !== 'string')
        return false;
    return node.name === 'startswith' ? fold(have).startsWith(fold(node.value)) : fold(have).endsWith(fold(node.value));
}

/** Contract 3: the issuer is ignored for local identities; those of type userPrincipalName are never found. */
function matchesIdentity(identity, asked) {
    if (identity.signInType === 'userPrincipalName')
        return false;
    if (asked.issuerAssignedId !== undefined
        && fold(identity.issuerAssignedId || '') !== fold(asked.issuerAssignedId))
        return false;
    const isLocal = ['emailAddress', 'userName'].includes(identity.signInType);
    return (isLocal && asked.issuerAssignedId !== undefined) || fold(identity.issuer) === fold(asked.issuer);
}

function matches(node, view) {
    switch (node.op) {
    case 'or':
        return node.parts.some((part) => matches(part, view));
    case 'and':
        return node.parts.every((part) => matches(part, view));
    case 'not':
        return !matches(node.part, view);
    case 'any':
        if (node.identity)
            return (view.identities || []).some((identity) => matchesIdentity(identity, node.identity));
        return (view[node.path] || []).some((value) => matchesLeaf(node.body, node.path, value));
    default:
        return matchesLeaf(node, node.path, view[node.path]);
    }
}

module.exports = { checkFilter, candidates, matches };

'use strict';
// Objects of the directory in the order of their creation, with an index by every text that names one.

const { fold } = require('./address');

function withoutType(proxyAddress) {
    return proxyAddress.replace(/^smtp:/, '');
}

/** The texts of one searchable field, folded. */
const FIELDS = {
    mail: (props) => (props.mail ? [fold(props.mail)] : []),
    userPrincipalName: (props) => (props.userPrincipalName ? [fold(props.userPrincipalName)] : []),
    otherMails: (props) => (props.otherMails || []).map(fold),
    proxyAddresses: (props) => (props.proxyAddresses || []).map(fold),
    identities: (props) => (props.identities || []).filter((identity) => identity.issuerAssignedId)
        .map((identity) => fold(identity.issuerAssignedId)),
};
// The fields by which the invitation service knows an object.
const OF_AN_ADDRESS = ['mail', 'userPrincipalName', 'otherMails', 'proxyAddresses'];

/** The keys of an object in the index. A text in several fields, as a guest's address is, is one key. */
function keysOf(props) {
    const keys = new Set();
    for (const [field, texts] of Object.entries(FIELDS)) {
        for (const text of texts(props))
            keys.add(field === 'proxyAddresses' ? withoutType(text) : text);
    }
    return keys;
}

function hasText(props, field, text) {
    if (field === 'address')
        return OF_AN_ADDRESS.some((name) => FIELDS[name](props)
            .some((own) => (name === 'proxyAddresses' ? withoutType(own) : own) === text));
    return FIELDS[field](props).includes(text);
}

/**
 * An index entry is the object itself, or a Set where several share the text: among many users nearly none do.
 */
class Collection {
    constructor() {
        this.byId = new Map();
        this.order = [];
        this.index = new Map();
    }

    get size() {
        return this.byId.size;
    }

    link(object) {
        for (const key of keysOf(object.props)) {
            const entry = this.index.get(key);
            if (entry instanceof Set)
                entry.add(object);
            else
                this.index.set(key, entry ? new Set([entry, object]) : object);
        }
    }

    unlink(object) {
        for (const key of keysOf(object.props)) {
            const entry = this.index.get(key);
            if (entry === object || (entry instanceof Set && entry.delete(object) && entry.size === 0))
                this.index.delete(key);
        }
    }

    add(object) {
        this.byId.set(fold(object.props.id), object);
        object.position = this.order.push(object) - 1;
        this.link(object);
    }

    remove(object) {
        this.unlink(object);
        this.byId.delete(fold(object.props.id));
        this.order[object.position] = null;
    }

    change(object, changes) {
        this.unlink(object);
        Object.assign(object.props, changes);
        this.link(object);
    }

    /** null if there is none. */
    withId(id) {
        return this.byId.get(fold(id)) || null;
    }

    /** The objects whose field has this value, case folded; field "address" is any address. */
    find(field, value) {
        const text = fold(value);
        if (field === 'id')
            return this.byId.has(text) ? [this.byId.get(text)] : [];
        const entry = this.index.get(field === 'proxyAddresses' ? withoutType(text) : text);
        if (entry === undefined)
            return [];
        return (entry instanceof Set ? [...entry] : [entry]).filter((object) => hasText(object.props, field, text));
    }
}

module.exports = { Collection };

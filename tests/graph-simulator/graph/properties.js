'use strict';
// The properties of a user: which there are, which come by default, which may be filtered and how
// (contract 3 and 4.1).

const { GraphError } = require('./answers');

const DEFAULT_PROPERTIES = ['businessPhones', 'displayName', 'givenName', 'jobTitle', 'mail', 'mobilePhone',
    'officeLocation', 'preferredLanguage', 'surname', 'userPrincipalName', 'id'];

// User.ReadBasic.All shows no more than these.
const BASIC_PROPERTIES = ['displayName', 'givenName', 'id', 'mail', 'surname', 'userPrincipalName'];

const TEXT = ['eq', 'in', 'startsWith', 'ne', 'not', 'endsWith', 'ge', 'le'];

// type, and the operators that a filter may use; no operators: the property can't be filtered.
const PROPERTIES = {
    id: ['text', ['eq', 'in', 'ne', 'not']],
    displayName: ['text', TEXT],
    givenName: ['text', TEXT],
    surname: ['text', TEXT],
    jobTitle: ['text', TEXT],
    companyName: ['text', TEXT],
    department: ['text', TEXT],
    employeeId: ['text', TEXT],
    city: ['text', TEXT],
    country: ['text', TEXT],
    state: ['text', TEXT],
    streetAddress: ['text', TEXT],
    postalCode: ['text', TEXT],
    mail: ['text', TEXT],
    mailNickname: ['text', TEXT],
    userPrincipalName: ['text', TEXT],
    mobilePhone: ['text', TEXT],
    officeLocation: ['text', TEXT],
    preferredLanguage: ['text', TEXT],
    usageLocation: ['text', TEXT],
    userType: ['text', ['eq', 'in', 'ne', 'not']],
    creationType: ['text', ['eq', 'in', 'ne', 'not']],
    externalUserState: ['text', ['eq', 'in', 'ne', 'not']],
    accountEnabled: ['boolean', ['eq', 'in', 'ne', 'not']],
    createdDateTime: ['time', ['eq', 'in', 'ne', 'not', 'ge', 'le', 'gt', 'lt']],
    deletedDateTime: ['time', ['eq', 'in', 'ne', 'not', 'ge', 'le', 'gt', 'lt']],
    externalUserStateChangeDateTime: ['time', ['eq', 'in', 'ne', 'not']],
    otherMails: ['texts', ['eq', 'in', 'startsWith', 'ne', 'not', 'endsWith', 'ge', 'le']],
    proxyAddresses: ['texts', ['eq', 'startsWith', 'ne', 'not', 'endsWith', 'ge', 'le']],
    businessPhones: ['texts', []],
    identities: ['identities', ['eq']],
    showInAddressList: ['boolean', []],
    signInActivity: ['object', []],
};

const TEXTS = ['otherMails', 'proxyAddresses', 'businessPhones'];

// Kept by another service and not available in collections: 501 NotImplemented (contract 6).
const OTHER_SERVICE = ['aboutMe', 'birthday', 'hireDate', 'interests', 'mySite', 'pastProjects', 'preferredName',
    'responsibilities', 'schools', 'skills', 'mailboxSettings'];

const WRITABLE = ['accountEnabled', 'displayName', 'givenName', 'surname', 'jobTitle', 'companyName', 'department',
    'employeeId', 'city', 'country', 'state', 'streetAddress', 'postalCode', 'mobilePhone', 'officeLocation',
    'preferredLanguage', 'usageLocation', 'userType', 'otherMails', 'businessPhones', 'showInAddressList'];

function isProperty(name) {
    return Object.prototype.hasOwnProperty.call(PROPERTIES, name);
}

/** Parses $select; null if there is none. Unknown names are refused, names count in any case. */
function parseSelect(text) {
    if (text === undefined)
        return null;
    const names = [];
    for (const wish of text.split(',').map((word) => word.trim())) {
        const folded = wish.toLowerCase();
        const name = Object.keys(PROPERTIES).concat(OTHER_SERVICE).find((known) => known.toLowerCase() === folded);
        if (!name)
            throw new GraphError(400, 'BadRequest', 'Parsing OData Select and Expand failed: Could not find a property '
                + `named '${wish}' on type 'microsoft.graph.user'.`);
        if (OTHER_SERVICE.includes(name))
            throw new GraphError(501, 'NotImplemented', `The property '${name}' is not available here.`);
        names.push(name);
    }
    return names;
}

/** The object as a reader with these names selected is shown it (contract 4.1: state only with $select). */
function project(view, absent, names, canReadAll) {
    const shown = {};
    for (const name of names || DEFAULT_PROPERTIES) {
        if (absent.has(name) || (!canReadAll && !BASIC_PROPERTIES.includes(name)))
            continue;
        shown[name] = view[name] !== undefined ? view[name] : emptyValue(name);
    }
    return shown;
}

function emptyValue(name) {
    return TEXTS.includes(name) ? [] : null;
}

module.exports = { PROPERTIES, DEFAULT_PROPERTIES, WRITABLE, isProperty, parseSelect, project, emptyValue };

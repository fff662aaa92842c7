'use strict';
// What a test may set: names, defaults and checks. README.md lists the same names.

const crypto = require('crypto');
const { isFederatedList } = require('../login/assertion');

const DELAYS = ['byIdMs', 'filterMs', 'staleMs', 'deltaMs'];
const NO_DELAY = Object.fromEntries(DELAYS.map((name) => [name, 0]));
const INVITE_POLICIES = ['none', 'adminsAndGuestInviters', 'adminsGuestInvitersAndAllMembers', 'everyone'];
const SPONSORS_BIND = ['accepted', 'refused', 'ignored'];
const EXPIRIES = ['gone', 'syncStateNotFound', 'resyncRequired'];

function isCount(value) {
    return Number.isInteger(value) && value >= 0;
}

function isText(value) {
    return typeof value === 'string' && value !== '';
}

function isTextArray(value) {
    return Array.isArray(value) && value.every(isText);
}

function isCertificateList(value) {
    try {
        return Array.isArray(value) && value.every((text) => new crypto.X509Certificate(text));
    } catch (error) {
        return false;
    }
}

function isReplication(value) {
    return value !== null && typeof value === 'object'
        && Object.keys(value).every((key) => DELAYS.includes(key) && isCount(value[key]));
}

function isDomainList(value) {
    return Array.isArray(value) && value.every((domain) => domain && isText(domain.name));
}

function isWriteLimit(value) {
    return value === null || (value && isCount(value.writes) && value.writes > 0 && value.seconds > 0);
}

/** Whether a call is played: true, false (as an unknown one), or the status that it is refused with. */
function isService(value) {
    return typeof value === 'boolean' || (Number.isInteger(value) && value >= 400 && value <= 599);
}

const boolean = (value) => typeof value === 'boolean';
const orNull = (check) => (value) => value === null || check(value);

const CHECKS = {
    roles: [isTextArray, 'an array of permission names'],
    secret: [isText, 'a text'],
    secretExpired: [boolean, 'true or false'],
    certificates: [isCertificateList, 'an array of certificates (PEM)'],
    federated: [isFederatedList, 'an array of {"issuer","subject","audience","publicKey"}'],
    identity: [(value) => ['vm', 'arc'].includes(value), 'vm or arc'],
    identitySystem: [orNull(isText), 'null or a client id'],
    identityClientIds: [isTextArray, 'an array of client ids'],
    identityEcho: [boolean, 'true or false'],
    identityKeys: [isText, 'a directory'],
    identityRealm: [orNull(isText), 'null or a text'],
    graphRoot: [orNull(isText), 'null or https://HOST'],
    publicClient: [boolean, 'true or false'],
    consented: [isTextArray, 'an array of permission names'],
    personRoles: [isTextArray, 'an array of directory roles'],
    deviceInterval: [isCount, 'seconds'],
    deviceExpiresIn: [(value) => isCount(value) && value > 0, 'seconds, at least 1'],
    deviceNumbers: [(value) => ['number', 'text', 'absent'].includes(value), 'number, text or absent'],
    deviceComplete: [boolean, 'true or false'],
    refreshExpiresIn: [(value) => isCount(value) && value > 0, 'seconds, at least 1'],
    refreshRotation: [(value) => ['new', 'none', 'revoke'].includes(value), 'new, none or revoke'],
    idTokenTenant: [orNull(isText), 'null or a tenant\'s id'],
    tokenExpiresIn: [(value) => isCount(value) && value > 0, 'seconds, at least 1'],
    domains: [isDomainList, 'an array of {"name","isVerified","isDefault","isInitial"}'],
    allowInvitesFrom: [(value) => INVITE_POLICIES.includes(value), `one of ${INVITE_POLICIES.join(', ')}`],
    allowDomains: [orNull(isTextArray), 'null or an array of domains'],
    denyDomains: [isTextArray, 'an array of domains'],
    objectQuota: [orNull(isCount), 'null or a number of users'],
    sponsorsBind: [(value) => SPONSORS_BIND.includes(value), `one of ${SPONSORS_BIND.join(', ')}`],
    acceptedStatus: [isText, 'a text'],
    identityProvider: [isText, 'an issuer, such as mail'],
    replication: [isReplication, `an object of ${DELAYS.join(', ')}, each milliseconds`],
    maxOrClauses: [isCount, 'a number'],
    maxTop: [(value) => isCount(value) && value > 0, 'a number, at least 1'],
    pageSize: [(value) => isCount(value) && value > 0, 'a number, at least 1'],
    emptyPages: [isCount, 'a number'],
    externalUserStateFilter: [(value) => ['advanced', 'plain', 'refused'].includes(value),
        'advanced, plain or refused'],
    writeLimit: [isWriteLimit, 'null or {"writes":N,"seconds":N}'],
    gzip: [boolean, 'true or false'],
    batch: [isService, 'true, false or a status from 400 to 599'],
    batchThrottle: [(value) => ['200', '424'].includes(value), '"200" or "424"'],
    batchErrorCodes: [(value) => ['named', 'empty'].includes(value), 'named or empty'],
    delta: [isService, 'true, false or a status from 400 to 599'],
    deltaTracksState: [boolean, 'true or false'],
    deltaReplays: [isCount, 'a number of objects'],
    deltaRemovedFirst: [boolean, 'true or false'],
    deltaExpired: [(value) => EXPIRIES.includes(value), `one of ${EXPIRIES.join(', ')}`],
};

function defaults(initialDomain) {
    return {
        roles: ['User.Invite.All', 'User.Read.All', 'Organization.Read.All'],
        secret: 'simulated-client-secret',
        secretExpired: false,
        certificates: [],
        federated: [],
        identity: 'vm',
        identitySystem: '33333333-4444-4555-8666-777777777777',
        identityClientIds: [],
        identityEcho: true,
        identityKeys: '/var/opt/azcmagent/tokens',
        identityRealm: null,
        graphRoot: null,
        publicClient: true,
        consented: ['User.Invite.All', 'User.Read.All'],
        personRoles: [],
        deviceInterval: 5,
        deviceExpiresIn: 900,
        deviceNumbers: 'number',
        deviceComplete: false,
        refreshExpiresIn: 90 * 24 * 3600,
        refreshRotation: 'new',
        idTokenTenant: null,
        tokenExpiresIn: 3599,
        domains: [
            { name: initialDomain, isVerified: true, isDefault: true, isInitial: true },
            { name: 'contoso.example', isVerified: true, isDefault: false, isInitial: false },
        ],
        allowInvitesFrom: 'everyone',
        allowDomains: null,
        denyDomains: [],
        objectQuota: null,
        sponsorsBind: 'accepted',
        acceptedStatus: 'PendingAcceptance',
        identityProvider: 'mail',
        replication: NO_DELAY,
        maxOrClauses: 15,
        maxTop: 999,
        pageSize: 100,
        emptyPages: 0,
        externalUserStateFilter: 'advanced',
        writeLimit: null,
        gzip: false,
        batch: true,
        batchThrottle: '200',
        batchErrorCodes: 'named',
        delta: true,
        deltaTracksState: true,
        deltaReplays: 0,
        deltaRemovedFirst: false,
        deltaExpired: 'gone',
    };
}

class Settings {
    /** start: what --config and --secret-file give; it is also what a reset returns to. */
    constructor(initialDomain, start) {
        this.initialDomain = initialDomain;
        this.start = start;
        this.reset();
    }

    reset() {
        Object.assign(this, defaults(this.initialDomain));
        for (const [key, value] of Object.entries(this.start))
            this.set(key, value);
    }

    set(key, value) {
        const check = Object.prototype.hasOwnProperty.call(CHECKS, key) && CHECKS[key];
        if (!check)
            throw new Error(`no setting '${key}'; there are: ${Object.keys(CHECKS).join(', ')}`);
        if (!check[0](value))
            throw new Error(`setting '${key}' must be ${check[1]}`);
        this[key] = key === 'replication' ? { ...NO_DELAY, ...value } : value;
    }

    /** Everything but the secret. */
    show() {
        const shown = {};
        for (const key of Object.keys(CHECKS))
            shown[key] = key === 'secret' ? '(set)' : this[key];
        return shown;
    }
}

module.exports = { Settings, isReplication };

'use strict';
// The tenant itself: organization, domains, authorizationPolicy (contract 2.7, 3).

const { GraphError, json } = require('./answers');
const { requireAny } = require('./permissions');

function selected(ctx, type, object) {
    const text = ctx.query.get('$select');
    if (text === undefined)
        return object;
    const shown = {};
    for (const name of text.split(',').map((word) => word.trim())) {
        if (!Object.prototype.hasOwnProperty.call(object, name))
            throw new GraphError(400, 'BadRequest', 'Parsing OData Select and Expand failed: Could not find a property '
                + `named '${name}' on type 'microsoft.graph.${type}'.`);
        shown[name] = object[name];
    }
    return shown;
}

function context(sim, ctx, set) {
    const select = ctx.query.get('$select');
    return `${sim.urls.graph}/v1.0/$metadata#${set}${select === undefined ? '' : `(${select})`}`;
}

/** Only verified names appear here (contract 3). */
function organization(sim, ctx) {
    // A person may read the verified domains with User.Read already (contract 3).
    requireAny(ctx, ['Organization.Read.All', 'Organization.ReadWrite.All', 'Directory.Read.All',
        'Directory.ReadWrite.All', ...(ctx.token.person ? ['User.Read'] : [])]);
    const verifiedDomains = sim.settings.domains.filter((domain) => domain.isVerified !== false).map((domain) => ({
        capabilities: 'Email, OfficeCommunicationsOnline',
        isDefault: domain.isDefault === true,
        isInitial: domain.isInitial === true,
        name: domain.name,
        type: 'Managed',
    }));
    const value = selected(ctx, 'organization', {
        id: sim.tenant.id, deletedDateTime: null, businessPhones: [], city: null, country: null,
        countryLetterCode: 'NL', createdDateTime: '2020-02-03T04:05:06Z', displayName: 'Contoso', tenantType: 'AAD',
        verifiedDomains,
    });
    return json(200, { '@odata.context': context(sim, ctx, 'organization'), value: [value] });
}

/** Unverified names are listed too (contract 3). */
function domains(sim, ctx) {
    requireAny(ctx, ['Domain.Read.All', 'Domain.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All']);
    const value = sim.settings.domains.map((domain) => selected(ctx, 'domain', {
        authenticationType: 'Managed', availabilityStatus: null, id: domain.name, isAdminManaged: true,
        isDefault: domain.isDefault === true, isInitial: domain.isInitial === true, isRoot: true,
        isVerified: domain.isVerified !== false, supportedServices: ['Email'],
    }));
    return json(200, { '@odata.context': context(sim, ctx, 'domains'), value });
}

function authorizationPolicy(sim, ctx) {
    requireAny(ctx, ['Policy.Read.All', 'Policy.ReadWrite.Authorization']);
    return json(200, {
        '@odata.context': `${sim.urls.graph}/v1.0/$metadata#policies/authorizationPolicy/$entity`,
        ...selected(ctx, 'authorizationPolicy', {
            id: 'authorizationPolicy', displayName: 'Authorization Policy',
            allowInvitesFrom: sim.settings.allowInvitesFrom,
            guestUserRoleId: '10dae51f-b6af-4016-8d66-8c2a99b929b3', allowEmailVerifiedUsersToJoinOrganization: false,
        }),
    });
}

module.exports = { organization, domains, authorizationPolicy };

'use strict';
// Groups and their members (contract 5).

const { GraphError, json, noContent } = require('./answers');
const { hasAny, requireAny, denied, READ_ALL } = require('./permissions');
const { notFound } = require('./users');
const { fold } = require('../engine/address');

const CHANGE = ['GroupMember.ReadWrite.All', 'Group.ReadWrite.All', 'Directory.ReadWrite.All'];
const READ = ['GroupMember.Read.All', 'Group.Read.All', 'Directory.Read.All', ...CHANGE];
const ROLES = 'RoleManagement.ReadWrite.Directory';
const CHECKED_MAX = 20;

function badRequest(message) {
    return new GraphError(400, 'Request_BadRequest', message);
}

function find(sim, id) {
    const group = sim.store.groups.withId(id);
    if (!group)
        throw notFound(id);
    return group;
}

/** The user that a reference names, by the URL of the directory object or of the user. */
function referred(sim, ctx) {
    const link = ctx.jsonObject()['@odata.id'];
    const root = `${sim.urls.graph}/v1.0/`;
    const match = typeof link === 'string' && link.startsWith(root)
        && /^(?:directoryObjects|users)\/([^/?#]+)$/.exec(link.slice(root.length));
    if (!match)
        throw badRequest('The resource URI in \'@odata.id\' is not valid.');
    const user = sim.store.readable(match[1]);
    if (!user)
        throw notFound(match[1]);
    return user;
}

function checkMayChange(ctx, group) {
    requireAny(ctx, CHANGE);
    if (group.props.isAssignableToRole && !hasAny(ctx, [ROLES]))
        throw denied();
}

/** Who the members are is ruled elsewhere: by a filter, or by the directory that the group comes from. */
function checkOwnMembers(group) {
    if (group.props.groupTypes.includes('DynamicMembership'))
        throw badRequest('The members of a group with dynamic membership can\'t be changed.');
    if (group.props.onPremisesSyncEnabled)
        throw badRequest('Unable to update the specified properties for on-premises mastered Directory Sync objects or '
            + 'objects currently undergoing migration.');
}

function addMember(sim, ctx, [id]) {
    requireAny(ctx, CHANGE);
    const group = find(sim, id);
    checkMayChange(ctx, group);
    const user = referred(sim, ctx);
    checkOwnMembers(group);
    const key = fold(user.props.id);
    if (group.members.has(key))
        throw badRequest('One or more added object references already exist for the following modified properties: '
            + '\'members\'.');
    group.members.add(key);
    ctx.effect();
    return noContent();
}

function removeMember(sim, ctx, [id, userId]) {
    requireAny(ctx, CHANGE);
    const group = find(sim, id);
    checkMayChange(ctx, group);
    checkOwnMembers(group);
    if (!group.members.delete(fold(userId)))
        throw notFound(userId);
    ctx.effect();
    return noContent();
}

/** Which of these groups the user is in. The real one counts groups in groups too; there are none here. */
function checkMemberGroups(sim, ctx, [key]) {
    if (!hasAny(ctx, READ_ALL) || !hasAny(ctx, READ))
        throw denied();
    const { groupIds } = ctx.jsonObject();
    if (!Array.isArray(groupIds) || groupIds.some((id) => typeof id !== 'string') || groupIds.length > CHECKED_MAX)
        throw badRequest(`'groupIds' is a list of at most ${CHECKED_MAX} ids.`);
    const user = sim.store.readable(key);
    if (!user)
        throw notFound(key);
    const isIn = (id) => {
        const group = sim.store.groups.withId(id);
        return group !== null && group.members.has(fold(user.props.id));
    };
    return json(200, {
        '@odata.context': `${sim.urls.graph}/v1.0/$metadata#Collection(Edm.String)`,
        'value': groupIds.filter(isIn),
    });
}

module.exports = { addMember, removeMember, checkMemberGroups };

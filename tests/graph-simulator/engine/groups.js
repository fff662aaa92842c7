'use strict';
// The control verb `group`: security groups, and who is in them.

const { fold } = require('./address');

const KEYS = ['find', 'id', 'name', 'dynamic', 'synced', 'roleAssignable', 'add', 'remove'];

/** Members are kept by id, so that they return with a user who is restored; only users that are there are shown. */
function describe(sim, group) {
    return { ...group.props, members: [...group.members].filter((id) => sim.store.users.withId(id) !== null) };
}

function userIds(sim, keys) {
    return (keys || []).map((key) => {
        const user = sim.store.user(key) || sim.store.users.find('address', key)[0];
        if (!user)
            throw new Error(`group: there is no user '${key}'`);
        return fold(user.props.id);
    });
}

function newGroup(sim, request) {
    if (request.id !== undefined && sim.store.groups.withId(request.id))
        throw new Error(`group: there is a group with the id ${request.id}`);
    const group = {
        props: {
            id: request.id || sim.ids.guid('group'),
            displayName: request.name || 'group',
            groupTypes: request.dynamic ? ['DynamicMembership'] : [],
            onPremisesSyncEnabled: request.synced ? true : null,
            isAssignableToRole: request.roleAssignable ? true : null,
        },
        members: new Set(),
    };
    sim.store.groups.add(group);
    return group;
}

function applyGroup(sim, request) {
    if (request === null || typeof request !== 'object')
        throw new Error('group: needs an object');
    for (const key of Object.keys(request)) {
        if (!KEYS.includes(key))
            throw new Error(`group: unknown member '${key}'; there are: ${KEYS.join(', ')}`);
    }
    const group = request.find === undefined ? newGroup(sim, request) : sim.store.groups.withId(request.find);
    if (!group)
        throw new Error(`group: there is no group '${request.find}'`);
    userIds(sim, request.add).forEach((id) => group.members.add(id));
    userIds(sim, request.remove).forEach((id) => group.members.delete(id));
    return describe(sim, group);
}

module.exports = { applyGroup };

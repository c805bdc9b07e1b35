// Walks every call of the package `atlassian-crowd-client` that reads, logs somebody in or writes, apart from single sign-on
// sessions.
//
//     node walk.mjs FOLDER URL APPLICATION PASSWORD
//
// FOLDER is where the package is installed. Prints one JSON object: what each call gave, by its name. A call that was refused
// stands as `{ refused: REASON }`.

import { createRequire } from 'node:module';

const [folder, baseUrl, name, password] = process.argv.slice(2);
const CrowdClient = createRequire(`${folder}/x.js`)('atlassian-crowd-client');

const ODD = 'd+e&f/g%h"i\'j';
const BAR = 'caf\u00e9 & bar';

const crowd = new CrowdClient({ baseUrl, application: { name, password } });
const stranger = new CrowdClient({ baseUrl, application: { name, password: `${password}x` } });
const results = {};

async function step(name, call) {
    if (name in results) throw new Error(name);
    try {
        results[name] = await call();
    } catch (fault) {
        results[name] = { refused: fault.type ?? `${fault}` };
    }
}

// A group whose description is missing shows as one: JSON leaves out what is undefined.
const told = (entity) => JSON.parse(JSON.stringify(entity));
const sorted = (names) => [...names].sort();
const byName = (entities) =>
    told(entities).sort((left, right) => (left.username < right.username ? -1 : 1));

async function users() {
    for (const name of ['ada', 'ADA', 'carl', 'j\u00fcrgen', ODD, 'nobody', '']) {
        await step(`user.get ${name}`, async () => told(await crowd.user.get(name)));
    }
    await step('user.get with attributes', async () => told(await crowd.user.get('ada', true)));
    await step('user.attributes.list', async () => told(await crowd.user.attributes.list('ada')));
    await step('user.attributes.list nobody', () => crowd.user.attributes.list('nobody'));
    await step('user.groups.get', () => crowd.user.groups.get('ADA', 'LEADS'));
    await step('user.groups.get nested', () => crowd.user.groups.get('ada', 'all', true));
    await step('user.groups.get not direct', () => crowd.user.groups.get('ada', 'all'));
    await step('user.groups.get odd', () => crowd.user.groups.get(ODD, BAR));
    for (const name of ['ada', ODD, 'nobody']) {
        await step(`user.groups.list ${name}`, async () => sorted(await crowd.user.groups.list(name)));
        await step(`user.groups.list nested ${name}`, async () =>
            sorted(await crowd.user.groups.list(name, true)));
    }
    await step('user.groups.list in pages', async () => {
        const pages = [];
        for (const at of [0, 2, 4]) pages.push((await crowd.user.groups.list('ada', true, at, 2)).length);
        return pages;
    });
}

async function groups() {
    for (const name of ['all', 'LEADS', BAR, 'nothing']) {
        await step(`group.get ${name}`, async () => told(await crowd.group.get(name)));
    }
    await step('group.get with attributes', async () => told(await crowd.group.get('all', true)));
    await step('group.attributes.list', async () => told(await crowd.group.attributes.list('all')));
    await step('group.users.get', () => crowd.group.users.get('STAFF', 'BEN'));
    await step('group.users.get nested', () => crowd.group.users.get('all', 'carl', true));
    await step('group.users.get not direct', () => crowd.group.users.get('all', 'carl'));
    for (const name of ['all', BAR, 'empty', 'nothing']) {
        await step(`group.users.list ${name}`, async () => sorted(await crowd.group.users.list(name)));
        await step(`group.users.list nested ${name}`, async () =>
            sorted(await crowd.group.users.list(name, true)));
    }
    await step('group.users.list expanded', async () =>
        byName(await crowd.group.users.list('leads', false, 0, 1000, true)));
    await step('group.users.list in pages', async () => {
        const pages = [];
        for (const at of [0, 2, 4, 6]) pages.push(await crowd.group.users.list('all', true, at, 2));
        return [pages.map((it) => it.length), sorted(pages.flat())];
    });
    await step('group.parents.get', () => crowd.group.parents.get('LEADS', 'STAFF'));
    await step('group.parents.get nested', () => crowd.group.parents.get('leads', 'all', true));
    await step('group.parents.get not direct', () => crowd.group.parents.get('leads', 'all'));
    await step('group.children.get', async () => (await crowd.group.children.get('ALL', 'staff')).name);
    await step('group.children.get nested', async () =>
        (await crowd.group.children.get('all', 'leads', true)).name);
    await step('group.children.get not direct', () => crowd.group.children.get('all', 'leads'));
    for (const nested of [false, true]) {
        const how = nested ? 'nested' : 'direct';
        await step(`group.parents.list ${how}`, async () =>
            sorted(await crowd.group.parents.list('leads', nested)));
        await step(`group.children.list ${how}`, async () =>
            sorted(await crowd.group.children.list('all', nested)));
    }
    await step('group.parents.list nothing', () => crowd.group.parents.list('nothing'));
    await step('group.children.list nothing', () => crowd.group.children.list('nothing'));
    await step('group.membership', async () => {
        const xml = await crowd.group.membership();
        const groups = [...xml.matchAll(/<membership group="([^"]*)"/g)].map((it) => it[1]);
        return [sorted(groups), xml.match(/<user /g).length, xml.trimEnd().endsWith('</memberships>')];
    });
}

async function searches() {
    for (const restriction of [
        '',
        'name = ada',
        'name = "ADA"',
        'email = "ada@example.com" and active = true',
        'active = false',
        'name = "a*" or firstName = "J\u00fcrgen"',
        'lastName = "*sons*"',
        'name = "nobody"',
        `name = "${ODD.replace('"', '\\"')}"`,
    ]) {
        await step(`search.user ${restriction}`, async () => sorted(await crowd.search.user(restriction)));
    }
    await step('search.user expanded', async () => byName(await crowd.search.user('name = ada', true)));
    await step('search.user in pages', async () => {
        const pages = [];
        for (const at of [0, 2, 4, 6]) pages.push(await crowd.search.user('', false, at, 2));
        return [pages.map((it) => it.length), sorted(pages.flat())];
    });
    await step('search.user senseless', () => crowd.search.user('name = = ada'));
    for (const restriction of ['', 'name = "A*"', `name = "${BAR}"`]) {
        await step(`search.group ${restriction}`, async () => sorted(await crowd.search.group(restriction)));
    }
    await step('search.group expanded', async () => told(await crowd.search.group('name = leads', true)));
}

async function logins() {
    for (const [name, word] of [
        ['ada', 'right'],
        ['ADA', 'right'],
        ['ada', 'wrong'],
        ['ada', ''],
        ['carl', 'right'],
        [ODD, 'right'],
        ['nobody', 'right'],
        ['j\u00fcrgen', 'p\u00e4ss "word"\\ \u20ac'],
    ]) {
        await step(`authenticate ${name} ${word}`, async () =>
            told(await crowd.authentication.authenticate(name, word)));
    }
    await step('config.cookie', async () => sorted(Object.keys(await crowd.config.cookie())));
}

async function strangers() {
    await step('stranger config.cookie', () => stranger.config.cookie());
    await step('stranger user.get', () => stranger.user.get('ada'));
    await step('stranger authenticate', () => stranger.authentication.authenticate('ada', 'right'));
    await step('stranger group.membership', () => stranger.group.membership());
}

async function writes() {
    const user = new crowd.userModel('New', 'User', 'New User', 'n@example.com', 'new', 'x');
    const group = new crowd.groupModel('new', 'x');
    const attributes = new crowd.attributesModel({ a: 'b' });
    const calls = {
        'user.create': () => crowd.user.create(user),
        'user.update': () => crowd.user.update('ada', user),
        'user.rename': () => crowd.user.rename('ada', 'new'),
        'user.remove': () => crowd.user.remove('ada'),
        'user.attributes.set': () => crowd.user.attributes.set('ada', attributes),
        'user.attributes.remove': () => crowd.user.attributes.remove('ada', 'a'),
        'user.password.set': () => crowd.user.password.set('ada', 'x'),
        'user.password.reset': () => crowd.user.password.reset('ada'),
        'user.username.request': () => crowd.user.username.request('ada@example.com'),
        'user.groups.add': () => crowd.user.groups.add('ada', 'empty'),
        'user.groups.remove': () => crowd.user.groups.remove('ada', 'leads'),
        'group.create': () => crowd.group.create(group),
        'group.update': () => crowd.group.update('all', group),
        'group.remove': () => crowd.group.remove('all'),
        'group.attributes.set': () => crowd.group.attributes.set('all', attributes),
        'group.attributes.remove': () => crowd.group.attributes.remove('all', 'a'),
        'group.users.add': () => crowd.group.users.add('empty', 'ada'),
        'group.users.remove': () => crowd.group.users.remove('leads', 'ada'),
        'group.parents.add': () => crowd.group.parents.add('empty', 'all'),
        'group.children.add': () => crowd.group.children.add('all', 'empty'),
        'group.children.remove': () => crowd.group.children.remove('all', 'staff'),
    };
    for (const [name, call] of Object.entries(calls)) await step(name, call);
}

await users();
await groups();
await searches();
await logins();
await strangers();
await writes();
console.log(JSON.stringify(results));

import { expect, test } from 'vitest'
import { checkClasses, deletedSince } from '../../../infra/component/classes.ts'
import { parseDeclaration } from '../../../infra/program/declaration.ts'
import { newProject } from '../../support/cloud/project.ts'

const HEAD = 'name = "sync"\nmain = "src/index.ts"\ncompatibility_date = "2026-10-20"\n'
const FIRST = 'tag = "v1"\nnew_sqlite_classes = ["Room"]'

function declare(className: string, ...steps: string[]) {
  const binding = `durable_objects = { bindings = [{ name = "ROOM", class_name = "${className}" }] }\n`
  return parseDeclaration(`${HEAD}${binding}${steps.map((step) => `[[migrations]]\n${step}\n`).join('')}`)
}

test.each([
  ['a class that is made, bound and exported', 'Room', [FIRST], ['Room', 'default']],
  [
    'a class that is renamed',
    'Hall',
    [FIRST, 'tag = "v2"\nrenamed_classes = [{ from = "Room", to = "Hall" }]'],
    ['Hall'],
  ],
  [
    'a class that is deleted and another one',
    'Hall',
    [FIRST, 'tag = "v2"\ndeleted_classes = ["Room"]\nnew_sqlite_classes = ["Hall"]'],
    ['Hall'],
  ],
])('accepts %s', (_what, bound, steps, exported) => {
  checkClasses(declare(bound, ...steps), exported)
})

test.each([
  [
    'a tag that is used twice',
    declare('Room', FIRST, 'tag = "v1"\nnew_sqlite_classes = ["Hall"]'),
    'worker/wrangler.toml has the migration tag "v1" twice. Give the new step a tag that no other step has, and leave deployed steps as they are',
  ],
  [
    'a class that is not exported',
    declare('Room', FIRST, 'tag = "v2"\nnew_sqlite_classes = ["Attic"]'),
    'worker/wrangler.toml makes the class Attic, but worker/src/index.ts does not export it. Export it there. If it was renamed, add a [[migrations]] entry with a new tag and renamed_classes = [{ from = "Attic", to = "..." }], which keeps its data. Remove it from its migration only if it was never deployed',
  ],
  [
    'a class that is bound but never made',
    declare('Cellar', FIRST),
    'worker/wrangler.toml binds ROOM to the class Cellar, which no migration makes. Add a [[migrations]] entry with a new tag and new_sqlite_classes = ["Cellar"]',
  ],
  [
    'a class that is made twice',
    declare('Room', FIRST, 'tag = "v2"\nnew_sqlite_classes = ["Room"]'),
    'worker/wrangler.toml makes the class Room again in migration "v2". A class is made once: remove it there',
  ],
  [
    'a class that is made twice in one step',
    declare('Room', 'tag = "v1"\nnew_classes = ["Room"]\nnew_sqlite_classes = ["Room"]'),
    'worker/wrangler.toml makes the class Room again in migration "v1". A class is made once: remove it there',
  ],
  [
    'a class that is renamed to one that exists',
    declare(
      'Room',
      FIRST,
      'tag = "v2"\nnew_sqlite_classes = ["Hall"]\nrenamed_classes = [{ from = "Hall", to = "Room" }]',
    ),
    'worker/wrangler.toml makes the class Room again in migration "v2". A class is made once: remove it there',
  ],
  [
    'a renaming of a class that is not there',
    declare('Hall', FIRST, 'tag = "v2"\nrenamed_classes = [{ from = "Attic", to = "Hall" }]'),
    'worker/wrangler.toml is wrong: migration "v2" renames the class Attic, which no step before it makes. Write the name that the class has then',
  ],
  [
    'a deletion of a class that is not there',
    declare('Room', FIRST, 'tag = "v2"\ndeleted_classes = ["Attic"]'),
    'worker/wrangler.toml is wrong: migration "v2" deletes the class Attic, which no step before it makes. Write the name that the class has then',
  ],
])('refuses %s', (_what, declaration, message) => {
  expect(() => checkClasses(declaration, ['Room', 'Hall'])).toThrow(message)
})

test('names the deployed classes that the next steps delete', () => {
  const { migrations } = declare(
    'Room',
    'tag = "v1"\nnew_sqlite_classes = ["Room", "Hall"]',
    'tag = "v2"\nrenamed_classes = [{ from = "Room", to = "Cellar" }]\ndeleted_classes = ["Hall"]',
    'tag = "v3"\nnew_sqlite_classes = ["Attic"]\ndeleted_classes = ["Cellar"]',
    'tag = "v4"\ndeleted_classes = ["Attic"]',
  )
  expect(deletedSince(migrations, 'v1')).toEqual({ classes: ['Hall', 'Room'] })
  expect(deletedSince(migrations, 'v2')).toEqual({ classes: ['Cellar'] })
  expect(deletedSince(migrations, 'v4')).toEqual({})
  expect(deletedSince(migrations, undefined)).toEqual({})
})

test('refuses a wrong declaration before anything is changed, and works again once the file is mended', async () => {
  const project = newProject()
  await project.up('dev')
  const again = '\n[[migrations]]\ntag = "v1"\nnew_sqlite_classes = ["Archive"]\n'
  project.edit('worker/wrangler.toml', (text) => text + again)
  await expect(project.preview('dev')).rejects.toThrow('has the migration tag "v1" twice')
  project.edit('worker/wrangler.toml', (text) => text.replace(again, again.replace('v1', 'v3')))
  await expect(project.up('dev')).rejects.toThrow(
    'makes the class Archive, but worker/src/index.ts does not export it',
  )
  project.edit('worker/wrangler.toml', (text) => text.replace(again.replace('v1', 'v3'), ''))
  const { steps } = await project.up('dev')
  expect(steps.every(({ operation }) => operation === 'same')).toBe(true)
})

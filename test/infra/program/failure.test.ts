import { expect, test } from 'vitest'
import { newProject } from '../../support/cloud/project.ts'

test.each([
  [
    'TypeScript syntax that cannot be stripped',
    'enum A { B }',
    /^infra\/component\/names\.ts:\d+(:\d+)?: SyntaxError.*enum/,
  ],
  [
    'an exception',
    'nowhere()',
    /^infra\/component\/names\.ts:\d+:\d+: ReferenceError: nowhere is not defined$/,
  ],
])('reports %s in the program in one line, with its position', async (_what, code, message) => {
  const project = newProject()
  project.edit('infra/component/names.ts', (text) => `${text}\n${code}\n`)
  const failure = await project.launch('dev').catch((error: Error) => error.message)
  expect(failure).toMatch(message)
  expect(failure).not.toContain('\n')
})

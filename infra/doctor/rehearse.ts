// Runs the program against nothing: every resource is taken, none is made. Whatever would end the program
// goes to standard error, one mistake a line. A process of its own, so that it can be ended in time.
import { runtime } from '@pulumi/pulumi'
import { ORGANIZATION } from '../local/engine/program.ts'

const [project = '', stack = ''] = process.argv.slice(2)

await runtime.setMocks(
  {
    newResource: ({ name, inputs }) => ({ id: name, state: { ...inputs, outputs: {} } }),
    call: () => ({ results: [] }),
  },
  project,
  stack,
  true,
  ORGANIZATION,
)
try {
  await import('../index.ts')
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  // Not an exit at once: the runtime would complain of resources that are still under way.
  process.exitCode = 1
}

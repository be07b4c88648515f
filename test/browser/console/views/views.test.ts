import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import { graveFindings } from '../../../support/browser/axe.ts'
import { DESK, LOOKS, lookAt, overhang, picture } from '../../../support/browser/looks.ts'
import { tabFaults } from '../../../support/browser/tabbing.ts'
import { type Operator, testInConsole, withConsole } from '../with-console.ts'
import { type Furniture, furnish } from './furniture.ts'
import { OF_SIGN_IN, OF_THE_SERVICE, ofSpace, type View } from './views.ts'

/** Where people and the pipeline find the pictures. */
const PICTURES = join(import.meta.dirname, '../../../../dist/console-shots')

/** More than a hundred looks, each with a picture. */
const LONGEST_MS = 300_000

let furniture: Furniture

const console = withConsole({
  async prepare(opened) {
    rmSync(PICTURES, { recursive: true, force: true })
    mkdirSync(PICTURES, { recursive: true })
    furniture = await furnish(opened)
  },
})
afterAll(() => furniture?.tablet.stop())

/** Shows views one after the other, in all themes and widths. Lists what bars somebody from reading or reaching a part. */
async function tour(operator: Operator, views: readonly View[]): Promise<readonly string[]> {
  const { page } = operator
  const faults: string[] = []
  const note = (title: string, found: readonly string[]) =>
    faults.push(...found.map((fault) => `${title}: ${fault}`))
  for (const { name, show } of views) {
    await lookAt(page, DESK)
    await show(operator)
    for (const look of LOOKS) {
      await lookAt(page, look)
      const title = `${name}-${look.theme}-${look.width}`
      note(title, [...(await graveFindings(page)), ...(await overhang(page))])
      await picture(page, join(PICTURES, `${title}.png`))
    }
    await lookAt(page, DESK)
    note(name, await tabFaults(operator))
  }
  return faults
}

testInConsole(
  'lets everybody read and reach every page, in all themes and widths',
  async () => {
    const tours = [
      tour(await console.open('/console/#code=wrong'), OF_SIGN_IN),
      tour(await console.operator(), OF_THE_SERVICE),
      tour(await console.operator(), ofSpace(furniture)),
    ]
    expect((await Promise.all(tours)).flat()).toEqual([])
  },
  LONGEST_MS,
)

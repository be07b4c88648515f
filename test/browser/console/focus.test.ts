import { expect } from 'vitest'
import { type Operator, testInConsole, withConsole } from './with-console.ts'

const console = withConsole()

/** Waits until a control has the focus, which is where the next Tab begins. */
async function hasFocus({ focused }: Operator, role: string, name: string | RegExp): Promise<void> {
  await expect.poll(focused, { timeout: 10_000 }).toMatchObject({ role, name: expect.stringMatching(name) })
}

testInConsole('gives the focus to the page after the sign-in, and to the token before it', async () => {
  const operator = await console.open()
  await hasFocus(operator, 'textbox', 'Admin token')
  await operator.enter()
  await hasFocus(operator, 'heading', 'Overview')
  await operator.click('button', 'Sign out')
  await operator.find('heading', 'Sign in to the console')
  await hasFocus(operator, 'textbox', 'Admin token')
})

testInConsole('gives the focus back after a dialog', async () => {
  const operator = await console.operator('tokens')
  await operator.click('button', 'Mint a token')
  const form = await operator.find('dialog', 'Mint a token')
  await operator.fill('Subject', 'ann', form)
  await operator.press('Enter')
  const minted = await operator.find('dialog', 'The new token')
  await hasFocus(operator, 'button', 'Copy the token')
  // No key throws away what is shown only once.
  await operator.press('Escape', 'Escape')
  await operator.find('dialog', 'The new token')
  await operator.click('button', 'Close', minted)
  await hasFocus(operator, 'button', 'Mint a token')

  for (const act of ['Rotate', 'Revoke']) {
    const opener = new RegExp(`^${act} .* of ann$`)
    await operator.click('button', opener)
    await operator.click('button', 'Back', await operator.find('dialog', `${act} the token`))
    await hasFocus(operator, 'button', opener)
  }
  await operator.click('button', /^Rotate .* of ann$/)
  await operator.click('button', 'Rotate', await operator.find('dialog', 'Rotate the token'))
  await operator.click('button', 'Close', await operator.find('dialog', 'The new token'))
  // The row of the old token has left the page.
  await hasFocus(operator, 'heading', 'Tokens')
})

testInConsole('keeps the focus in the configuration after a refusal, an undo and a save', async () => {
  const operator = await console.operator('config')
  const review = async (button: string) => {
    await operator.click('button', 'Review 1 change')
    await operator.click('button', button, await operator.find('dialog', 'What changes'))
  }
  await operator.fill('History, days', '-1')
  await review('Back')
  await hasFocus(operator, 'button', 'Review 1 change')
  await review('Save for all spaces')
  await operator.find('alert', /^Not saved/)
  await hasFocus(operator, 'textbox', 'History, days')
  await operator.click('button', 'Undo all')
  await hasFocus(operator, 'button', 'Undo all')
  await operator.fill('History, days', '45')
  await review('Save for all spaces')
  await operator.sees(/Revision \d+ is stored/)
  await hasFocus(operator, 'button', 'Nothing to save')
})

testInConsole('gives the focus to the page after a restore', async () => {
  const phone = await console.device('diary', 'phone')
  for (const title of ['milk', 'bread']) {
    phone.put('notes/1', { title })
    await phone.sync()
  }
  await console.reported('diary')
  const operator = await console.operator('space/diary/keys/notes%2F1')
  await operator.click('button', /^Restore /)
  await operator.click('button', 'Restore', await operator.find('dialog', /^Restore/))
  await operator.sees('is current again')
  await operator.find('heading', /^\w+\.3$/)
  await hasFocus(operator, 'heading', /^diary/)
})

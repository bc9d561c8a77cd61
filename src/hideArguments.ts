/** An address with a password before its host. */
const withPassword = /^(?:--\w+=)?\w+:\/\/[^/@]*:[^@]*@/

/**
 * Every user of a machine may read the arguments of every program (`ps`). With a password among them the program's name
 * is written in their place; until it has begun they can be seen, so that the environment is the better place for it.
 */
export const hideArguments = (): void => {
  if (process.argv.some((argument) => withPassword.test(argument))) process.title = "observer"
}

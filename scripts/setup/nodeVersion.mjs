// Read by old versions of Node too, so that they can say what is wrong: no newer syntax here.

/** What is wrong with this version of Node, in one line; undefined if nothing is. */
export const nodeVersionProblem = (version) => {
  const [major, minor] = version.split(".").map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return undefined
  return "Observer needs Node.js 20.19 or newer, this is " + version + ": https://nodejs.org"
}

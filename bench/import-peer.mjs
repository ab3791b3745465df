/** Stands in bench/ and not in dist/, because a package is looked for from where the importing file stands. */
export const importPeer = name => import(name)

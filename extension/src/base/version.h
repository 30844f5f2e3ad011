/*-------------------------------------------------------------------------
 *
 * version.h
 *	  The version of this library, as pgvalet.summary shows it.
 *
 * Changes together with default_version in pgvalet.control.
 *
 * extension/src/base/version.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_VERSION_H
#define PGV_VERSION_H

#define PGV_VERSION "1.1"

#endif							/* PGV_VERSION_H */

/*-------------------------------------------------------------------------
 *
 * keep.c
 *	  What outlives shared memory.
 *
 * The copy is one block, the same in memory and in the file: a head, and for
 * each part its name, its size and its bytes.
 *
 * extension/src/base/keep.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/keep.h"
#include "base/version.h"
#include "miscadmin.h"
#include "port/pg_crc32c.h"
#include "storage/fd.h"
#include "storage/ipc.h"
#include "utils/timestamp.h"

#define MAGIC "PGVKEPT"
#define TEMPORARY_FILE PGV_KEEP_FILE ".tmp"

/* No settings make a copy larger than this; a file that says so is damaged. */
#define HIGHEST_SIZE ((int64) 1 << 32)

typedef struct KeptHead
{
	char		magic[8];
	char		version[16];	/* of the extension that wrote it */
	int64		size;			/* of the whole copy, this head included */
	PgvKept		kept;
	pg_crc32c	checksum;		/* of all before and behind it */
} KeptHead;

typedef struct KeptPart
{
	char		name[32];
	int64		size;			/* of the bytes behind this, rounded up */
} KeptPart;

#define HEAD_BYTES MAXALIGN(sizeof(KeptHead))
#define PART_BYTES MAXALIGN(sizeof(KeptPart))

/* The copy between a crash and the making of new memory. */
static char *copy_in_memory = NULL;

static PgvKept taken_over = {0};

const PgvKept *
pgv_keep_taken_over(void)
{
	return &taken_over;
}

/* Checksum of a copy, which its head says where to find the end of. */
static pg_crc32c
checksum_of(const char *copy)
{
	pg_crc32c	checksum;

	INIT_CRC32C(checksum);
	COMP_CRC32C(checksum, copy, offsetof(KeptHead, checksum));
	COMP_CRC32C(checksum, copy + HEAD_BYTES, ((const KeptHead *) copy)->size - HEAD_BYTES);
	FIN_CRC32C(checksum);
	return checksum;
}

/* Bytes of a copy of all parts. */
static Size
copy_size(void)
{
	Size		all = HEAD_BYTES;
	Size		size;
	int			count;
	const PgvPart *const *parts = pgv_parts(&count);

	for (int i = 0; i < count; i++)
	{
		if (parts[i]->keep == NULL)
			continue;
		(void) parts[i]->keep(&size);
		all += PART_BYTES + MAXALIGN(size);
	}
	return all;
}

/*
 * Makes a copy of all parts, in memory of the C library: the postmaster is in
 * the middle of ending, and an allocation that fails must not end it otherwise.
 */
static char *
make_copy(bool after_crash)
{
	Size		size = copy_size();
	char	   *copy = calloc(1, size);
	KeptHead   *head = (KeptHead *) copy;
	char	   *to;
	int			count;
	const PgvPart *const *parts = pgv_parts(&count);

	if (copy == NULL)
		return NULL;
	to = copy + HEAD_BYTES;
	for (int i = 0; i < count; i++)
	{
		KeptPart   *part = (KeptPart *) to;
		Size		part_size;
		void	   *memory;

		if (parts[i]->keep == NULL)
			continue;
		memory = parts[i]->keep(&part_size);
		strlcpy(part->name, parts[i]->name, sizeof(part->name));
		part->size = MAXALIGN(part_size);
		memcpy(to + PART_BYTES, memory, part_size);
		to += PART_BYTES + part->size;
	}
	strlcpy(head->magic, MAGIC, sizeof(head->magic));
	strlcpy(head->version, PGV_VERSION, sizeof(head->version));
	head->size = size;
	head->kept.at = GetCurrentTimestamp();
	head->kept.after_crash = after_crash;
	head->checksum = checksum_of(copy);
	return copy;
}

/* Writes a copy to its file, all of it or nothing. */
static void
write_copy(const char *copy)
{
	Size		size = ((const KeptHead *) copy)->size;
	FILE	   *file = AllocateFile(TEMPORARY_FILE, PG_BINARY_W);
	bool		is_written = false;

	if (file != NULL)
	{
		is_written = (fwrite(copy, size, 1, file) == 1);
		is_written = (FreeFile(file) == 0) && is_written;
	}
	/* The server's function logs its own failures. */
	if (is_written)
	{
		(void) durable_rename(TEMPORARY_FILE, PGV_KEEP_FILE, LOG);
		return;
	}
	ereport(LOG,
			(errcode_for_file_access(),
			 errmsg("pgvalet could not write file \"%s\": %m", TEMPORARY_FILE)));
	unlink(TEMPORARY_FILE);
}

/*
 * on_shmem_exit callback of the postmaster, while the memory is still there.  The
 * code is 0 at every kind of shutdown.  Else the memory is about to be made anew,
 * or the server ends because it is not to restart after a crash.
 */
static void
keep_memory(int code, Datum arg)
{
	char	   *copy = make_copy(code != 0);

	if (copy == NULL)
		ereport(LOG,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("pgvalet has no memory to keep its statistics")));
	else if (proc_exit_inprogress)
	{
		write_copy(copy);
		free(copy);
	}
	else
		copy_in_memory = copy;
}

/* Why a copy of this size cannot be used; NULL: it can. */
static const char *
fault_of(const char *copy, int64 size)
{
	const KeptHead *head = (const KeptHead *) copy;

	if (size < (int64) HEAD_BYTES || memcmp(head->magic, MAGIC, sizeof(MAGIC)) != 0)
		return "it is not one of ours";
	if (strncmp(head->version, PGV_VERSION, sizeof(head->version)) != 0)
		return "another version wrote it";
	if (head->size != size)
		return "it is not whole";
	if (!EQ_CRC32C(head->checksum, checksum_of(copy)))
		return "it is damaged";
	return NULL;
}

/* Reads the file into memory of its own; NULL if there is none to be used. */
static char *
read_copy(void)
{
	FILE	   *file = AllocateFile(PGV_KEEP_FILE, PG_BINARY_R);
	struct stat info;
	char	   *copy = NULL;
	const char *fault = NULL;

	if (file == NULL && errno == ENOENT)
		return NULL;
	if (file == NULL || fstat(fileno(file), &info) != 0)
		fault = "it cannot be opened";
	else if (info.st_size < (off_t) HEAD_BYTES || info.st_size > HIGHEST_SIZE)
		fault = "it is not whole";
	else if ((copy = malloc(info.st_size)) == NULL)
		fault = "there is no memory for it";
	else if (fread(copy, info.st_size, 1, file) != 1)
		fault = "it cannot be read";
	else
		fault = fault_of(copy, info.st_size);
	if (file != NULL)
		FreeFile(file);
	if (fault == NULL)
		return copy;

	free(copy);
	ereport(LOG,
			(errmsg("pgvalet ignores file \"%s\": %s", PGV_KEEP_FILE, fault)));
	return NULL;
}

/* The part with this name, if it takes something over. */
static const PgvPart *
part_with_name(const char *name)
{
	int			count;
	const PgvPart *const *parts = pgv_parts(&count);

	for (int i = 0; i < count; i++)
	{
		if (parts[i]->take_over != NULL && strcmp(parts[i]->name, name) == 0)
			return parts[i];
	}
	return NULL;
}

/* Hands each part what is its own. */
static void
hand_out(char *copy)
{
	const KeptHead *head = (const KeptHead *) copy;
	char	   *from = copy + HEAD_BYTES;
	char	   *end = copy + head->size;

	while (end - from >= (ptrdiff_t) PART_BYTES)
	{
		KeptPart   *kept = (KeptPart *) from;
		const PgvPart *part;

		kept->name[sizeof(kept->name) - 1] = '\0';
		part = part_with_name(kept->name);
		from += PART_BYTES;
		if (kept->size < 0 || kept->size > end - from)
			break;
		if (part != NULL && !part->take_over(from, kept->size, &head->kept))
			ereport(LOG,
					(errmsg("pgvalet ignores what its part \"%s\" kept: it is damaged", part->name)));
		from += kept->size;
	}
	taken_over = head->kept;
}

void
pgv_keep_start(void)
{
	char	   *copy = copy_in_memory;

	copy_in_memory = NULL;
	taken_over.at = 0;
	if (copy == NULL)
		copy = read_copy();
	if (copy != NULL)
		hand_out(copy);
	free(copy);
	on_shmem_exit(keep_memory, (Datum) 0);
}

bool
pgv_keep_is_time(TimestampTz time)
{
	return time > 0 && time < GetCurrentTimestamp() + USECS_PER_DAY;
}

void
pgv_keep_remove_file(void)
{
	if (unlink(PGV_KEEP_FILE) != 0 && errno != ENOENT)
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("pgvalet could not remove file \"%s\": %m", PGV_KEEP_FILE)));
}

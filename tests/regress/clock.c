/*
 * A clock that tests can set: loaded into a server before its libraries, it adds to
 * the time of day the microseconds that stand in the file PGV_CLOCK_FILE.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>

static const volatile int64_t *
offset_us(void)
{
	static const volatile int64_t *offset = NULL;
	const char *path = getenv("PGV_CLOCK_FILE");

	if (offset == NULL && path != NULL)
	{
		int			fd = open(path, O_RDONLY | O_CLOEXEC);
		void	   *map = fd < 0 ? MAP_FAILED : mmap(NULL, 8, PROT_READ, MAP_SHARED, fd, 0);

		if (map != MAP_FAILED)
			offset = map;
	}
	return offset;
}

int
gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	static int	(*original) (struct timeval *, void *) = NULL;
	int			result;

	if (original == NULL)
		original = (int (*) (struct timeval *, void *)) dlsym(RTLD_NEXT, "gettimeofday");
	result = original(tv, tz);
	if (result == 0 && offset_us() != NULL)
	{
		int64_t		us = (int64_t) tv->tv_sec * 1000000 + tv->tv_usec + *offset_us();

		tv->tv_sec = us / 1000000;
		tv->tv_usec = us % 1000000;
	}
	return result;
}

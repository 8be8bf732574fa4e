#include "grpc/families.h"

#include "grpc/protocol.h"
#include "storage/project.h"

bool driver_init_backend(struct driver_call *c, const void *message, struct err *err)
{
	struct backend_paths paths;
	(void)message;
	if (!backend_init(c->storage, &paths, err)) {
		/* Folders that cannot be written are the state of the machine, not a fault of the program. */
		const char *why = arena_strdup(c->arena, err->message);
		return err->code == ERR_INIT_FAILED ? err_set(err, ERR_PRECONDITION_FAILED, "%s", why) : false;
	}
	driver_log(c, DRIVER_INFO, "Backend initialized, storage is in %s", c->storage->settings->data_dir);
	(void)driver_answer(c);
	return true;
}

bool driver_remove_backend(struct driver_call *c, const void *message, struct err *err)
{
	(void)message;
	(void)err;
	driver_log(c, DRIVER_INFO, "Backend removed: nothing is deleted, all data stay");
	return true;
}

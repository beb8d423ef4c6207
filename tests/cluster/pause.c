// Holds a pod's namespaces together, and serves as a container that does nothing: waits until it is told to stop. As
// process 1 of a pod it also collects orphans.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void stop(int number) {
  (void)number;
  _exit(0);
}

static void collect(int number) {
  (void)number;
  while (waitpid(-1, NULL, WNOHANG) > 0) {
  }
}

int main(void) {
  signal(SIGINT, stop);
  signal(SIGTERM, stop);
  signal(SIGCHLD, collect);
  for (;;) pause();
}

// The application in the workloads of the end-to-end test: answers every request on port 8080 with 200 and ends with 0 when
// it is told to stop.
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static void stop(int number) {
  (void)number;
  _exit(0);
}

int main(void) {
  static const char kAnswer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  signal(SIGTERM, stop);
  signal(SIGPIPE, SIG_IGN);
  const int server = socket(AF_INET, SOCK_STREAM, 0);
  const int one = 1;
  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(8080), .sin_addr = {htonl(INADDR_ANY)}};
  if (bind(server, (struct sockaddr*)&address, sizeof address) != 0 || listen(server, 64) != 0) return 1;
  for (;;) {
    const int client = accept(server, NULL, NULL);
    if (client < 0) continue;
    char request[4096];
    if (read(client, request, sizeof request) > 0 && write(client, kAnswer, sizeof kAnswer - 1) < 0) continue;
    close(client);
  }
}

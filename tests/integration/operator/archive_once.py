"""Archive a folder's log files, for a test to kill. Arguments: URL, credentials, folder."""

import sys
from pathlib import Path

from services.operator.archive.logs import put_logs
from shared.archive.storage import open_storage

if __name__ == "__main__":
    put_logs(open_storage(sys.argv[1], sys.argv[2]), Path(sys.argv[3]))

"""The protocols between gateway and programs: CGI/1.1, SCGI frames, end marks. Pure: no IO."""
